"""The cache in calendly_availability_cache.

An invalidation is written once, on the integration, and read with each part: one small write a
webhook however many parts there are, and it also overtakes a part whose first fetch is under
way. It counts for every part that was fetched before it.

The rule not to break is the order of locks: the integration's row before its parts, as whoever
erases it does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from adapters.persistence.repositories.cache_writes import MARK_FAILED, PUT, RENEW, write_parts
from adapters.persistence.rows.cache_entry import (
    COLUMNS,
    HEAD_COLUMNS,
    OVERTAKEN_COLUMNS,
    PART_COLUMNS,
    PENDING,
    overtaken,
    to_part,
)
from adapters.persistence.session import Session
from application.ports.storage.availability_cache import (
    NEWS_AFTER,
    CacheEntry,
    CacheKey,
    CacheKind,
    Change,
    Scope,
)
from domain.ids import IntegrationId, UserId
from domain.windows import CELL_MARK


def _overtake(pair: str, reason: str) -> str:
    at, by = f"{pair}_invalidated_at", f"{pair}_invalidated_by"
    # Clocks of hosts differ: what is stored was fetched before by the clock of whoever synced.
    now = "greatest($2, i.last_synced_at)"
    return f"""
    {by} = CASE WHEN {reason} IS NULL OR i.{at} > {now} THEN i.{by} ELSE {reason} END,
    {at} = CASE WHEN {reason} IS NULL THEN i.{at} ELSE greatest(i.{at}, {now}) END"""


_READ = f"""
SELECT {COLUMNS}, {OVERTAKEN_COLUMNS}
FROM calendly_availability_cache c
JOIN app_user u ON u.id = c.user_id
JOIN calendly_integration i ON i.id = c.integration_id
{PENDING}
WHERE u.public_id = $1 AND c.part = $2 AND c.key = $3
"""
_HEADS = f"""
SELECT {HEAD_COLUMNS}, {OVERTAKEN_COLUMNS}
FROM calendly_integration i JOIN calendly_availability_cache c ON c.integration_id = i.id
{PENDING}
WHERE i.public_id = $1
"""
_KEEP_ONLY = f"""
DELETE FROM calendly_availability_cache c USING app_user u
WHERE u.public_id = $1 AND c.user_id = u.id AND c.part = $2
    AND split_part(c.key, '{CELL_MARK}', 1) <> ALL ($3)
"""
_DROP = """
DELETE FROM calendly_availability_cache c
USING app_user u, unnest($2::text[], $3::text[]) AS named (part, key)
WHERE u.public_id = $1 AND c.user_id = u.id AND c.part = named.part AND c.key = named.key
"""
# Locked in the order of the ids, so that two batches which overlap never wait for each other.
_CHANGED = """
WITH changed AS (
    SELECT i.id, a.bookings, a.event_types
    FROM unnest($1::uuid[], $3::text[], $4::text[]) AS a (user_id, bookings, event_types)
    JOIN app_user u ON u.public_id = a.user_id
    JOIN calendly_integration i ON i.user_id = u.id
    ORDER BY i.id FOR NO KEY UPDATE OF i
)
"""
_FORGIVEN = """
, forgiven AS (
    UPDATE calendly_availability_cache c SET error_code = NULL, retry_at = NULL
    FROM changed WHERE c.integration_id = changed.id AND c.error_code IS NOT NULL
)
"""
_WRITTEN = f"""
UPDATE calendly_integration i SET
    {_overtake("availability", "changed.bookings")},
    {_overtake("event_types", "changed.event_types")},
    availability_version = i.availability_version + 1,
    sync_due_at = least(i.sync_due_at, $2, i.sync_lease_until - interval '1 microsecond')
FROM changed WHERE i.id = changed.id
"""
_INVALIDATE = _CHANGED + _WRITTEN
_BEGIN_ANEW = _CHANGED + _FORGIVEN + _WRITTEN
# Never in anybody's way: a user whose row is held is passed over, and the marks with it.
_MARK_READ = f"""
WITH held AS MATERIALIZED (
    SELECT i.id, i.user_id, u.public_id
    FROM app_user u JOIN calendly_integration i ON i.user_id = u.id
    WHERE u.public_id = ANY ($1::uuid[]) AND i.status <> 'disconnecting'
    ORDER BY i.id FOR NO KEY UPDATE OF i SKIP LOCKED
), news AS MATERIALIZED (
    SELECT c.id, c.integration_id, seen.at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
        AS seen (user_id, part, key, at)
    JOIN held ON held.public_id = seen.user_id
    JOIN calendly_availability_cache c
        ON c.user_id = held.user_id AND c.part = seen.part AND c.key = seen.key
    WHERE c.read_at IS NULL OR c.read_at < seen.at AND (
        c.read_at <= c.fetched_at OR c.read_at < seen.at - interval '{NEWS_AFTER.total_seconds()} seconds'
    )
), marked AS (
    UPDATE calendly_availability_cache c SET read_at = news.at
    FROM news WHERE c.id = news.id
)
UPDATE calendly_integration i
SET availability_read_at = greatest(i.availability_read_at, latest.at)
FROM (SELECT integration_id, max(at) AS at FROM news GROUP BY integration_id) latest
WHERE i.id = latest.integration_id
"""


class PiccoloAvailabilityCache:
    """Implements the AvailabilityCache port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, user_id: UserId, part: CacheKind, key: str = "") -> CacheEntry | None:
        """Read one part with what overtook it."""
        row = await self._session.row(_READ, user_id, str(part), key)
        return None if row is None else to_part(row[:PART_COLUMNS], overtaken(row))

    async def entries(self, integration_id: IntegrationId) -> list[CacheEntry]:
        """Read all but the contents."""
        rows = await self._session.rows(_HEADS, integration_id)
        return [to_part(row[:PART_COLUMNS], overtaken(row)) for row in rows]

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CacheEntry]
    ) -> None:
        """Upsert parts; nothing is stored for an integration that is gone.

        What a given part says of its invalidation is not stored: `invalidate` alone does that.
        """
        sound = [replace(each, error_code=None, retry_at=None) for each in parts]
        await write_parts(self._session, PUT, user_id, integration_id, sound)

    async def renew(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CacheEntry]
    ) -> None:
        """Set the times alone."""
        await write_parts(self._session, RENEW, user_id, integration_id, parts)

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CacheEntry]
    ) -> None:
        """Set the failure alone of the parts that are there, and insert the others."""
        await write_parts(self._session, MARK_FAILED, user_id, integration_id, parts)

    async def keep_only(self, user_id: UserId, part: CacheKind, bases: Sequence[str]) -> None:
        """Delete the parts of which no base is named."""
        await self._session.run(_KEEP_ONLY, user_id, str(part), list(bases))

    async def drop(self, user_id: UserId, keys: Sequence[CacheKey]) -> None:
        """Delete the named parts."""
        if keys:
            parts = [str(each.part) for each in keys]
            await self._session.run(_DROP, user_id, parts, [each.key for each in keys])

    async def invalidate(
        self,
        user_ids: Sequence[UserId],
        now: datetime,
        *,
        by: str,
        scope: Scope = Scope.BOOKINGS,
    ) -> None:
        """Write the invalidation and the due sync, in one statement."""
        statement = _BEGIN_ANEW if scope is Scope.EVERYTHING else _INVALIDATE
        await self._overtake(statement, dict.fromkeys(user_ids, Change.of(by, scope)), now)

    async def invalidate_each(self, changed: Mapping[UserId, Change], now: datetime) -> None:
        """Write the invalidations and the due syncs, in one statement."""
        await self._overtake(_INVALIDATE, changed, now)

    async def mark_read(self, reads: Mapping[tuple[UserId, CacheKey], datetime]) -> None:
        """Write what is new of them, in one statement."""
        if reads:
            users = [user_id for user_id, _ in reads]
            parts = [str(at.part) for _, at in reads]
            keys = [at.key for _, at in reads]
            await self._session.run(_MARK_READ, users, parts, keys, list(reads.values()))

    async def _overtake(
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
