"""The availability cache in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from application.ports.storage.availability_cache import (
    WEBHOOK_PENDING,
    CacheEntry,
    CacheKey,
    CacheKind,
    CacheSnapshot,
    Change,
    Scope,
)
from domain.availability import Occupied, Window
from domain.booking import is_hosted_by
from domain.cache_policy import settles_at
from domain.ids import IntegrationId, UserId
from domain.integration import Status
from domain.windows import base_of
from tests.fakes.state import EntryRow, State
from tests.fakes.sync_queue import request_sync

INVALIDATED_BY = {
    CacheKind.SLOTS: ("bookings", "event_types"),
    CacheKind.BUSY: ("bookings",),
    CacheKind.EVENT_TYPES: ("event_types",),
    CacheKind.SCHEDULES: ("event_types",),
}


class FakeAvailabilityCache:
    """Implements the AvailabilityCache port; an invalidation is stored on the integration."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def read(self, user_id: UserId, kind: CacheKind, key: str = "") -> CacheEntry | None:
        """Read one entry with its invalidation."""
        row = self._state.entries.get((user_id, kind, key))
        return None if row is None else self._seen(row)

    async def snapshot(
        self, user_id: UserId, wanted: Sequence[CacheKey], *, occupied_in: Window | None = None
    ) -> CacheSnapshot | None:
        """Return a snapshot, as the CacheLookup port does outside a unit of work."""
        found = self._state.integration_of(user_id)
        if found is None or found.value.status is Status.DISCONNECTING:
            return None
        rows = [self._state.entries.get((user_id, *at)) for at in wanted]
        mine = [row for row in rows if row is not None and row.integration_id == found.value.id]
        entries = [self._seen(row) for row in mine]
        occupied = self._occupied(found.value.id, occupied_in) if occupied_in else ()
        return CacheSnapshot(
            found.value, found.version, {each.cache_key: each for each in entries}, occupied
        )

    async def entries(self, integration_id: IntegrationId) -> list[CacheEntry]:
        """Read all entries without their content."""
        rows = [
            row for row in self._state.entries.values() if row.integration_id == integration_id
        ]
        seen = [self._seen(row) for row in rows]
        return [replace(each, content=b"", content_omitted=bool(each.content)) for each in seen]

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        """Store entries that are not older than what is there."""
        for entry, known in self._with_known(user_id, integration_id, entries):
            if known is None or known.fetched_at <= entry.fetched_at:
                read_at = known.read_at if known else None
                sound = replace(entry, error_code=None, retry_at=None, read_at=read_at)
                self._store(user_id, integration_id, sound)

    async def renew(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        """Set the times of what Calendly spoke of."""
        for entry, known in self._with_known(user_id, integration_id, entries):
            if known is None or not known.content or known.fetched_at > entry.fetched_at:
                continue
            if known.etag is not None and known.etag == entry.etag:
                times = replace(known, fetched_at=entry.fetched_at, covers=entry.covers)
                sound = replace(times, error_code=None, retry_at=None)
                self._store(user_id, integration_id, sound)

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        """Set the failure alone of the entries that are there, and add the others."""
        before = self._state.integrations.get(integration_id)
        found = self._with_known(user_id, integration_id, entries)
        if before is not None and all(
            known is not None and known.error_code == entry.error_code for entry, known in found
        ):
            self._state.integrations[integration_id] = before
        for entry, known in found:
            left = known or replace(entry, read_at=None)
            failed = replace(left, error_code=entry.error_code, retry_at=entry.retry_at)
            self._store(user_id, integration_id, failed)

    async def keep_only(self, user_id: UserId, kind: CacheKind, bases: Sequence[str]) -> None:
        """Delete the entries whose base is not listed."""
        for at in list(self._state.entries):
            if at[:2] == (user_id, kind) and base_of(at[2]) not in bases:
                del self._state.entries[at]

    async def drop(self, user_id: UserId, keys: Sequence[CacheKey]) -> None:
        """Forget the named entries."""
        for at in keys:
            self._state.entries.pop((user_id, *at), None)

    async def invalidate(
        self,
        user_ids: Sequence[UserId],
        now: datetime,
        *,
        by: str,
        scope: Scope = Scope.BOOKINGS,
    ) -> None:
        """Write the invalidation and the due sync."""
        await self.invalidate_each(dict.fromkeys(user_ids, Change.of(by, scope)), now)
        if scope is Scope.EVERYTHING:
            self._forgive(user_ids)

    async def invalidate_each(self, changed: Mapping[UserId, Change], now: datetime) -> None:
        """Write the invalidations and the due syncs."""
        for user_id, change in changed.items():
            row = self._state.integration_of(user_id)
            if row is None:
                continue
            invalidated = dict(row.invalidated)
            at = max(now, row.value.last_synced_at or now)
            for what, by in change._asdict().items():
                if by is not None and (what not in invalidated or invalidated[what][0] <= at):
                    invalidated[what] = (at, by)
            row = replace(row, invalidated=invalidated, version=row.version + 1)
            self._state.integrations[row.value.id] = request_sync(row, now)

    async def mark_read(self, reads: Mapping[tuple[UserId, CacheKey], datetime]) -> None:
        """Write what is new of them."""
        for (user_id, key), at in reads.items():
            row = self._state.entries.get((user_id, *key))
            if row is None:
                continue
            owner = self._state.integrations[row.integration_id]
            if owner.value.status is not Status.DISCONNECTING and row.entry.is_new_read(at):
                self._store(user_id, row.integration_id, replace(row.entry, read_at=at))
                latest = max(at, owner.read_at or at)
                self._state.integrations[row.integration_id] = replace(owner, read_at=latest)

    def _forgive(self, user_ids: Sequence[UserId]) -> None:
        rows = [(at[0], row) for at, row in self._state.entries.items() if at[0] in user_ids]
        for user_id, row in rows:
            owner = self._state.integration_of(user_id)
            if owner is not None and owner.value.id == row.integration_id:
                forgiven = replace(row.entry, error_code=None, retry_at=None)
                self._store(user_id, row.integration_id, forgiven)

    def _with_known(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> list[tuple[CacheEntry, CacheEntry | None]]:
        """Return entries with what is stored of them; nothing where the integration is gone."""
        row = self._state.integrations.get(integration_id)
        if row is None or row.value.user_id != user_id or not entries:
            return []
        self._state.integrations[integration_id] = replace(row, version=row.version + 1)
        stored = [self._state.entries.get((user_id, *each.cache_key)) for each in entries]
        known = [None if each is None else each.entry for each in stored]
        return list(zip(entries, known, strict=True))

    def _seen(self, row: EntryRow) -> CacheEntry:
        owner = self._state.integrations[row.integration_id]
        sources = INVALIDATED_BY[row.entry.kind]
        changes = [owner.invalidated[each] for each in sources if each in owner.invalidated]
        if "bookings" in sources:
            pending = self._state.pending_of(owner.value.user_id)
            changes += [(each.received_at, WEBHOOK_PENDING) for each in pending]
        at, by = max(changes, key=lambda each: each[0], default=(None, None))
        if at is None:
            return row.entry
        if at < row.entry.fetched_at:
            return replace(row.entry, settles_at=settles_at(row.entry.fetched_at, at))
        return replace(row.entry, invalidated_at=at, invalidated_by=by)

    def _occupied(self, integration_id: IntegrationId, span: Window) -> tuple[Occupied, ...]:
        account_uri = self._state.integrations[integration_id].value.account.user_uri
        times = {
            (details.start, details.end, details.event_type_uri)
            for each in self._state.bookings.values()
            for details in [each.facts.details]
            if each.integration_id == integration_id
            and each.is_open
            and is_hosted_by(each.facts, account_uri)
        }
        touching = [each for each in times if each[0] < span.end and each[1] > span.start]
        touching.sort(key=lambda each: each[:2])
        return tuple(Occupied(Window(start, end), uri) for start, end, uri in touching)

    def _store(self, user_id: UserId, integration_id: IntegrationId, entry: CacheEntry) -> None:
        plain = replace(entry, invalidated_at=None, invalidated_by=None, settles_at=None)
        row = EntryRow(entry=plain, integration_id=integration_id)
        self._state.entries[(user_id, entry.kind, entry.key)] = row
