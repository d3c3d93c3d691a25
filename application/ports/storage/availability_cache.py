"""The cache of event types, slots, busy times and schedules, an entry a row."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

import msgspec

from domain.availability import Occupied, Window
from domain.cache_policy import Aging
from domain.ids import IntegrationId, UserId
from domain.integration import Integration

READ_MARK_INTERVAL = timedelta(minutes=15)  # how old the stored `read_at` may be
# The reason for which a webhook that is not applied yet invalidates slots and busy times that
# were fetched before it came: its content is not known yet, but something changed.
WEBHOOK_PENDING = "webhook_pending"


class CacheKind(StrEnum):
    """The content of a cache entry."""

    EVENT_TYPES = "event_types"
    SLOTS = "slots"
    BUSY = "busy"
    SCHEDULES = "schedules"


class CacheKey(NamedTuple):
    """An entry of a user: the key is an event type's URI for SLOTS, and may name a far window."""

    kind: CacheKind
    key: str = ""


class Scope(StrEnum):
    """The entries of a user that a change invalidates; schedules go with the event types."""

    BOOKINGS = "slots and busy"
    EVENT_TYPES = "event types and slots"
    EVERYTHING = "everything"


class Change(NamedTuple):
    """Why entries of a user are invalidated: each a webhook's kind or a command's name, or None.

    Args:
        bookings: a change of bookings, which invalidates slots and busy times.
        event_types: a change of event types, which invalidates them, schedules and slots.

    """

    bookings: str | None = None
    event_types: str | None = None

    @classmethod
    def of(cls, by: str, scope: Scope = Scope.BOOKINGS) -> Self:
        """Return a change that has one reason."""
        return cls(
            bookings=None if scope is Scope.EVENT_TYPES else by,
            event_types=None if scope is Scope.BOOKINGS else by,
        )

    def after(self, earlier: "Change | None") -> "Change":
        """Return this change together with an earlier one."""
        if earlier is None:
            return self
        return Change(self.bookings or earlier.bookings, self.event_types or earlier.event_types)


class CacheEntry(msgspec.Struct, frozen=True):
    """One list as it was fetched.

    Args:
        key: the event type's URI for SLOTS, else empty; for a far window with its number, as
            `domain.windows` makes it.
        content: JSON of the domain values; empty when no fetch of this entry ever succeeded, or
            when `content_omitted`.
        fetched_at: the moment *before* the fetch began (UTC), so that a change during the fetch
            counts as a change after it.
        covers: the span of a windowed entry.
        invalidated_at: when something changed since (UTC), or None.
        invalidated_by: a webhook's kind, a command's name or WEBHOOK_PENDING; None likewise.
        settles_at: when it is fetched once more (UTC), because its fetch began within a minute
            after a change; None if it did not.
        error_code: why the last fetch failed, or None.
        etag: Calendly's entity tag of this content (RFC 9110), or None.
        read_at: when it was last read (UTC), accurate to READ_MARK_INTERVAL; None when never.
        retry_at: after a failure, when it may be fetched again (UTC), or None.
        content_omitted: there is content, which was left in the store.
        skipped: how many records of the list could not be read and are left out.

    """

    kind: CacheKind
    key: str
    content: bytes
    fetched_at: datetime
    covers: Window | None = None
    invalidated_at: datetime | None = None
    invalidated_by: str | None = None
    settles_at: datetime | None = None
    error_code: str | None = None
    etag: str | None = None
    read_at: datetime | None = None
    retry_at: datetime | None = None
    content_omitted: bool = False
    skipped: int = 0

    @property
    def cache_key(self) -> CacheKey:
        """The key of its row."""
        return CacheKey(self.kind, self.key)

    @property
    def has_content(self) -> bool:
        """Whether a fetch of it ever succeeded."""
        return self.content_omitted or bool(self.content)

    def is_new_read(self, at: datetime) -> bool:
        """Whether a read at that time (UTC) adds to what is stored of earlier reads."""
        if self.read_at is None:
            return True
        since = at - READ_MARK_INTERVAL
        return self.read_at < at and (self.read_at <= self.fetched_at or self.read_at < since)

    @property
    def seed(self) -> str:
        """The text that spreads its deadlines; see `CachePolicy.deadlines`."""
        return f"{self.kind} {self.key}"

    @property
    def aging(self) -> Aging:
        """The kind of its deadlines."""
        return Aging.TIMES if self.kind in (CacheKind.SLOTS, CacheKind.BUSY) else Aging.LISTS

    @property
    def is_offer(self) -> bool:
        """Whether callers of every user read it: event types and their slots."""
        return self.kind in (CacheKind.EVENT_TYPES, CacheKind.SLOTS)


class CacheSnapshot(msgspec.Struct, frozen=True):
    """The cache of one user as of one moment.

    Args:
        version: grows with every change of a possible response.
        entries: the wanted entries that exist.
        occupied: the times of the user's active bookings, in order, if they were wanted.

    """

    integration: Integration
    version: int
    entries: Mapping[CacheKey, CacheEntry]
    occupied: tuple[Occupied, ...] = ()


class AvailabilityCache(Protocol):
    """Cache entries by user."""

    async def read(self, user_id: UserId, kind: CacheKind, key: str = "") -> CacheEntry | None:
        """Return an entry, or None when no fetch of it was ever tried."""
        ...

    async def entries(self, integration_id: IntegrationId) -> list[CacheEntry]:
        """Return all entries of an integration, without their content."""
        ...

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        """Store entries, replacing older ones.

        An older fetch never replaces a newer one. An invalidation after the new `fetched_at`
        stays, and so does the time of the last read. An earlier failure is removed.
        """
        ...

    async def renew(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        """Set `fetched_at` and `covers` of entries that Calendly reported as unchanged.

        An earlier failure is removed. An entry without content, or with another `etag`, is not
        the one that Calendly reported, and is not changed.
        """
        ...

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        """Store `error_code` and `retry_at` of entries that could not be fetched.

        Their content stays. An entry that was never fetched is stored without content. A failure
        for the same reason as before does not raise the version.
        """
        ...

    async def keep_only(self, user_id: UserId, kind: CacheKind, bases: Sequence[str]) -> None:
        """Delete the entries of a kind, far windows included, whose base key is not listed."""
        ...

    async def drop(self, user_id: UserId, keys: Sequence[CacheKey]) -> None:
        """Delete entries."""
        ...

    async def invalidate(
        self,
        user_ids: Sequence[UserId],
        now: datetime,
        *,
        by: str,
        scope: Scope = Scope.BOOKINGS,
    ) -> None:
        """Mark entries of these users as invalidated, and the users as due for a sync now.

        Args:
            user_ids: in any order; unknown ones are ignored.
            now: the time (UTC).
            by: the reason: a webhook's kind, or a command's name.
            scope: the entries. EVERYTHING removes earlier failures too, so no entry backs off:
                the reason, for example a new grant, may have ended the cause of a failure.

        """
        ...

    async def invalidate_each(self, changed: Mapping[UserId, Change], now: datetime) -> None:
        """Do the same as `invalidate` for several users, each with its own change."""
        ...

    async def mark_read(self, reads: Mapping[tuple[UserId, CacheKey], datetime]) -> None:
        """Store when entries were read (UTC), for the entries and for the order of the sync.

        Only new reads are written: see `CacheEntry.is_new_read`. Unknown entries are ignored. The
        marks of a user whose row is locked are dropped: a lost mark costs little, and no caller
        waits for one.
        """
        ...
