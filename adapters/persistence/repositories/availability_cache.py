"""The cache in calendly_availability_cache.

An invalidation is written once, on the integration, and read with each part: one small write a
webhook however many parts there are, and it also overtakes a part whose first fetch is under
way. It counts for every part that was fetched before it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.persistence.session import Session
from application.ports.availability_cache import CachedPart, Part
from domain.availability import Window
from domain.ids import IntegrationId, UserId

_READ = """
SELECT c.part, c.key, c.content, c.fetched_at, c.covers_from, c.covers_until, c.error_code,
    CASE WHEN i.availability_invalidated_at >= c.fetched_at
        THEN i.availability_invalidated_at END AS invalidated_at,
    i.availability_invalidated_by AS invalidated_by
FROM calendly_availability_cache c
JOIN app_user u ON u.id = c.user_id
JOIN calendly_integration i ON i.id = c.integration_id
WHERE u.public_id = $1 AND c.part = $2 AND c.key = $3
"""
_UPSERT = """
INSERT INTO calendly_availability_cache AS c (
    user_id, integration_id, part, key, content, fetched_at, covers_from, covers_until, error_code
)
SELECT i.user_id, i.id, $3, $4, $5, $6, $7, $8, $9
FROM calendly_integration i JOIN app_user u ON u.id = i.user_id
WHERE u.public_id = $1 AND i.public_id = $2
ON CONFLICT (user_id, part, key) DO UPDATE SET
"""
_PUT = f"""{_UPSERT}
    integration_id = excluded.integration_id, content = excluded.content,
    fetched_at = excluded.fetched_at, covers_from = excluded.covers_from,
    covers_until = excluded.covers_until, error_code = excluded.error_code
WHERE c.fetched_at <= excluded.fetched_at
"""
_MARK_FAILED = f"{_UPSERT} error_code = excluded.error_code"
_KEEP_ONLY = """
DELETE FROM calendly_availability_cache c USING app_user u
WHERE u.public_id = $1 AND c.user_id = u.id AND c.part = $2 AND c.key <> ALL ($3)
"""
# Locked in the order of the ids, so that two batches which overlap never wait for each other.
_INVALIDATE = """
WITH overtaken AS (
    SELECT i.id, a.by FROM unnest($1::uuid[], $3::text[]) AS a (user_id, by)
    JOIN app_user u ON u.public_id = a.user_id
    JOIN calendly_integration i ON i.user_id = u.id
    ORDER BY i.id FOR NO KEY UPDATE OF i
)
UPDATE calendly_integration i SET
    availability_invalidated_by = CASE WHEN i.availability_invalidated_at > $2
        THEN i.availability_invalidated_by ELSE overtaken.by END,
    availability_invalidated_at = greatest(i.availability_invalidated_at, $2),
    sync_due_at = least(i.sync_due_at, $2, i.sync_lease_until - interval '1 microsecond')
FROM overtaken WHERE i.id = overtaken.id
"""


class PiccoloAvailabilityCache:
    """Implements the AvailabilityCache port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def read(self, user_id: UserId, part: Part, key: str = "") -> CachedPart | None:
        """Read one part with what overtook it."""
        row = await self._session.row(_READ, user_id, str(part), key)
        return None if row is None else _to_part(row)

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CachedPart]
    ) -> None:
        """Upsert parts in one sorted order; nothing is stored for an integration that is gone.

        What a given part says of its invalidation is not stored: `invalidate` alone does that.
        """
        await self._upsert(_PUT, user_id, integration_id, parts)

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CachedPart]
    ) -> None:
        """Set the error alone of the parts that are there, and insert the others."""
        await self._upsert(_MARK_FAILED, user_id, integration_id, parts)

    async def keep_only(self, user_id: UserId, part: Part, keys: Sequence[str]) -> None:
        """Delete the parts that are not named."""
        await self._session.run(_KEEP_ONLY, user_id, str(part), list(keys))

    async def invalidate(self, user_ids: Sequence[UserId], now: datetime, *, by: str) -> None:
        """Write the invalidation and the due sync, in one statement."""
        await self.invalidate_each(dict.fromkeys(user_ids, by), now)

    async def invalidate_each(self, changed: Mapping[UserId, str], now: datetime) -> None:
        """Write the invalidations and the due syncs, in one statement."""
        if changed:
            await self._session.run(_INVALIDATE, list(changed), now, list(changed.values()))

    async def _upsert(
        self, sql: str, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CachedPart]
    ) -> None:
        ordered = sorted(parts, key=lambda each: (each.part, each.key))
        values = [(user_id, integration_id, *_to_values(part)) for part in ordered]
        await self._session.run_each(sql, values)


def _to_part(row: Any) -> CachedPart:
    covers = None
    if row["covers_from"] is not None:
        covers = Window(start=row["covers_from"], end=row["covers_until"])
    return CachedPart(
        part=Part(row["part"]),
        key=row["key"],
        content=row["content"],
        fetched_at=row["fetched_at"],
        covers=covers,
        invalidated_at=row["invalidated_at"],
        invalidated_by=row["invalidated_by"] if row["invalidated_at"] else None,
        error_code=row["error_code"],
    )


def _to_values(part: CachedPart) -> tuple[object, ...]:
    """Return (part, key, content, fetched_at, covers_from, covers_until, error_code)."""
    covers = part.covers
    span = (None, None) if covers is None else (covers.start, covers.end)
    return (str(part.part), part.key, part.content, part.fetched_at, *span, part.error_code)
