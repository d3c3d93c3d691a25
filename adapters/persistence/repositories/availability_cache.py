"""The cache in calendly_availability_cache.

An invalidation is written once, on the integration, and read with each entry. So a webhook costs
one small write for any number of entries, and also invalidates an entry whose first fetch is
running. It counts for every entry that was fetched before it.

The rule not to break is the order of locks: the integration's row before its entries, as an
erasure locks them. Each statement that writes entries begins with that.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from adapters.persistence.rows.cache_entry import (
    COLUMNS,
    ENTRY_COLUMNS,
    INVALIDATION_COLUMNS,
    METADATA_COLUMNS,
    PENDING,
    invalidations_of,
    to_entry,
    to_values,
)
from adapters.persistence.session import Session
from application.ports.storage.availability_cache import (
    READ_MARK_INTERVAL,
    CacheEntry,
    CacheKey,
    CacheKind,
    Change,
    Scope,
)
from domain.ids import IntegrationId, UserId
from domain.windows import FAR_MARK


def _set_invalidation(pair: str, reason: str) -> str:
    at, by = f"{pair}_invalidated_at", f"{pair}_invalidated_by"
    # Clocks of hosts differ: the stored entries were fetched before, by the worker's clock.
    now = "greatest(changed.now, i.last_synced_at)"
    return f"""
    {by} = CASE WHEN {reason} IS NULL OR i.{at} > {now} THEN i.{by} ELSE {reason} END,
    {at} = CASE WHEN {reason} IS NULL THEN i.{at} ELSE greatest(i.{at}, {now}) END"""


_READ = f"""
SELECT {COLUMNS}, {INVALIDATION_COLUMNS}
FROM calendly_availability_cache c
JOIN app_user u ON u.id = c.user_id
JOIN calendly_integration i ON i.id = c.integration_id
{PENDING}
WHERE u.public_id = $1 AND c.part = $2 AND c.key = $3
"""
_ENTRIES = f"""
SELECT {METADATA_COLUMNS}, {INVALIDATION_COLUMNS}
FROM calendly_integration i JOIN calendly_availability_cache c ON c.integration_id = i.id
{PENDING}
WHERE i.public_id = $1
"""
_KEEP_ONLY = f"""
DELETE FROM calendly_availability_cache c USING app_user u
WHERE u.public_id = $1 AND c.user_id = u.id AND c.part = $2
    AND split_part(c.key, '{FAR_MARK}', 1) <> ALL ($3)
"""
_DROP = """
DELETE FROM calendly_availability_cache c
USING app_user u, unnest($2::text[], $3::text[]) AS named (part, key)
WHERE u.public_id = $1 AND c.user_id = u.id AND c.part = named.part AND c.key = named.key
"""
# Locked in the order of the ids, so that two batches which overlap never wait for each other.
_CHANGED = """
WITH changed AS (
    SELECT i.id, a.bookings, a.event_types, moment.now
    FROM slotkeeper_now($2::timestamptz) AS moment (now),
        unnest($1::uuid[], $3::text[], $4::text[]) AS a (user_id, bookings, event_types)
    JOIN app_user u ON u.public_id = a.user_id
    JOIN calendly_integration i ON i.user_id = u.id
    ORDER BY i.id FOR NO KEY UPDATE OF i
)
"""
_REMOVE_FAILURES = """
, cleared AS (
    UPDATE calendly_availability_cache c SET error_code = NULL, retry_at = NULL
    FROM changed WHERE c.integration_id = changed.id AND c.error_code IS NOT NULL
)
"""
_WRITE_INVALIDATION = f"""
UPDATE calendly_integration i SET
    {_set_invalidation("availability", "changed.bookings")},
    {_set_invalidation("event_types", "changed.event_types")},
    availability_version = i.availability_version + 1,
    sync_due_at = least(i.sync_due_at, changed.now, i.sync_lease_until - interval '1 microsecond')
FROM changed WHERE i.id = changed.id
"""
_INVALIDATE = _CHANGED + _WRITE_INVALIDATION
_INVALIDATE_ALL = _CHANGED + _REMOVE_FAILURES + _WRITE_INVALIDATION
# Never waits for a lock: the marks of a user whose row is locked are dropped.
_MARK_READ = f"""
WITH locked AS MATERIALIZED (
    SELECT i.id, i.user_id, u.public_id
    FROM app_user u JOIN calendly_integration i ON i.user_id = u.id
    WHERE u.public_id = ANY ($1::uuid[]) AND i.status <> 'disconnecting'
    ORDER BY i.id FOR NO KEY UPDATE OF i SKIP LOCKED
), new_reads AS MATERIALIZED (
    SELECT c.id, c.integration_id, seen.at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
        AS seen (user_id, part, key, at)
    JOIN locked ON locked.public_id = seen.user_id
    JOIN calendly_availability_cache c
        ON c.user_id = locked.user_id AND c.part = seen.part AND c.key = seen.key
    WHERE c.read_at IS NULL OR c.read_at < seen.at AND (
        c.read_at <= c.fetched_at OR c.read_at < seen.at - interval '{READ_MARK_INTERVAL.total_seconds()} seconds'
    )
), marked AS (
    UPDATE calendly_availability_cache c SET read_at = new_reads.at
    FROM new_reads WHERE c.id = new_reads.id
)
UPDATE calendly_integration i
SET availability_read_at = greatest(i.availability_read_at, latest.at)
FROM (SELECT integration_id, max(at) AS at FROM new_reads GROUP BY integration_id) latest
WHERE i.id = latest.integration_id
"""


def _owner(change: str) -> str:
    """Lock the integration and raise its version, so that kept responses are read again."""
    return f"""
WITH owner AS (
    UPDATE calendly_integration i SET availability_version = i.availability_version + {change}
    FROM app_user u
    WHERE u.public_id = $1 AND i.public_id = $2 AND i.user_id = u.id
    RETURNING i.id, i.user_id
)
"""


_GIVEN = """
unnest($3::text[], $4::text[], $5::bytea[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[], $12::integer[])
    AS given (part, key, content,
    fetched_at, covers_from, covers_until, error_code, etag, retry_at, skipped)
"""
# An entry that fails again for the same reason, as in an outage, does not raise the version.
_FAILED_OTHERWISE = f"""(
    SELECT count(*) FROM (
        SELECT FROM {_GIVEN} LEFT JOIN calendly_availability_cache c
            ON c.user_id = i.user_id AND c.part = given.part AND c.key = given.key
        WHERE c.error_code IS DISTINCT FROM given.error_code LIMIT 1
    ) AS changed
)"""
_UPSERT = f"""
INSERT INTO calendly_availability_cache AS c (
    user_id, integration_id, part, key, content, fetched_at, covers_from, covers_until,
    error_code, etag, retry_at, skipped
)
SELECT owner.user_id, owner.id, given.* FROM owner, {_GIVEN}
ON CONFLICT (user_id, part, key) DO UPDATE SET
"""
_PUT = f"""{_owner("1")}{_UPSERT}
    integration_id = excluded.integration_id, content = excluded.content,
    fetched_at = excluded.fetched_at, covers_from = excluded.covers_from,
    covers_until = excluded.covers_until, error_code = excluded.error_code,
    etag = excluded.etag, retry_at = excluded.retry_at, skipped = excluded.skipped
WHERE c.fetched_at <= excluded.fetched_at
"""
_MARK_FAILED = f"""{_owner(_FAILED_OTHERWISE)}{_UPSERT}
    error_code = excluded.error_code, retry_at = excluded.retry_at
"""
_RENEW = f"""{_owner("1")}
UPDATE calendly_availability_cache c SET
    fetched_at = given.fetched_at, covers_from = given.covers_from,
    covers_until = given.covers_until, error_code = NULL, retry_at = NULL
FROM owner, {_GIVEN}
WHERE c.user_id = owner.user_id AND c.part = given.part AND c.key = given.key
    AND c.integration_id = owner.id AND c.fetched_at <= given.fetched_at
    AND c.etag = given.etag AND octet_length(c.content) > 0
"""


class PiccoloAvailabilityCache:
    """Implements the AvailabilityCache port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, user_id: UserId, kind: CacheKind, key: str = "") -> CacheEntry | None:
        row = await self._session.row(_READ, user_id, str(kind), key)
        return None if row is None else to_entry(row[:ENTRY_COLUMNS], invalidations_of(row))

    async def entries(self, integration_id: IntegrationId) -> list[CacheEntry]:
        rows = await self._session.rows(_ENTRIES, integration_id)
        return [to_entry(row[:ENTRY_COLUMNS], invalidations_of(row)) for row in rows]

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        """Insert or update entries; nothing is stored for an integration that is gone.

        An entry's invalidation is not stored: only `invalidate` does that.
        """
        without_failure = [replace(each, error_code=None, retry_at=None) for each in entries]
        await self._write(_PUT, user_id, integration_id, without_failure)

    async def renew(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        await self._write(_RENEW, user_id, integration_id, entries)

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, entries: Sequence[CacheEntry]
    ) -> None:
        await self._write(_MARK_FAILED, user_id, integration_id, entries)

    async def keep_only(self, user_id: UserId, kind: CacheKind, bases: Sequence[str]) -> None:
        await self._session.run(_KEEP_ONLY, user_id, str(kind), list(bases))

    async def drop(self, user_id: UserId, keys: Sequence[CacheKey]) -> None:
        if keys:
            kinds = [str(each.kind) for each in keys]
            await self._session.run(_DROP, user_id, kinds, [each.key for each in keys])

    async def invalidate(
        self,
        user_ids: Sequence[UserId],
        now: datetime,
        *,
        by: str,
        scope: Scope = Scope.BOOKINGS,
    ) -> None:
        """Write the invalidation and the due sync, in one statement."""
        statement = _INVALIDATE_ALL if scope is Scope.EVERYTHING else _INVALIDATE
        await self._invalidate(statement, dict.fromkeys(user_ids, Change.of(by, scope)), now)

    async def invalidate_each(self, changed: Mapping[UserId, Change], now: datetime) -> None:
        """Write the invalidations and the due syncs, in one statement."""
        await self._invalidate(_INVALIDATE, changed, now)

    async def mark_read(self, reads: Mapping[tuple[UserId, CacheKey], datetime]) -> None:
        """Write the new reads, in one statement."""
        if reads:
            users = [user_id for user_id, _ in reads]
            kinds = [str(each.kind) for _, each in reads]
            keys = [each.key for _, each in reads]
            await self._session.run(_MARK_READ, users, kinds, keys, list(reads.values()))

    async def _invalidate(
        self, statement: str, changed: Mapping[UserId, Change], now: datetime
    ) -> None:
        if not changed:
            return
        changes = list(changed.values())
        await self._session.run(
            statement,
            list(changed),
            now,
            [each.bookings for each in changes],
            [each.event_types for each in changes],
        )

    async def _write(
        self,
        statement: str,
        user_id: UserId,
        integration_id: IntegrationId,
        entries: Sequence[CacheEntry],
    ) -> None:
        """Run a statement for all entries; nothing is written for an integration that is gone."""
        if not entries:
            return
        # One of each key: a statement that changes a row twice keeps an arbitrary change.
        by_key = {each.cache_key: each for each in entries}
        values = zip(*(to_values(by_key[key]) for key in sorted(by_key)), strict=True)
        await self._session.run(statement, user_id, integration_id, *map(list, values))
