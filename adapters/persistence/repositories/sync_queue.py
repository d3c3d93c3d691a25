"""The lease of a refresh, on calendly_integration.

While the lease is held, `sync_due_at` equals the lease's end: after a crash the row is due then.
So a due time before the lease's end was set since the lease was taken, and is kept.
"""

from datetime import datetime

from adapters.persistence.database_clock import database_now, indexable_now
from adapters.persistence.rows.integration import COLUMNS, to_integration
from adapters.persistence.session import Session
from domain.ids import IntegrationId
from domain.integration import Integration

_TERM = """
term AS MATERIALIZED (
    SELECT moment AS now, moment + ($3::timestamptz - $2::timestamptz) AS ends
    FROM slotkeeper_now($2::timestamptz) AS moment
)
"""
_FREE = "(i.sync_lease_until IS NULL OR i.sync_lease_until <= (SELECT now FROM term))"
_HOLD = "sync_lease_owner = $1, sync_lease_until = term.ends, sync_due_at = term.ends"
_TAKE = f"""
WITH {_TERM}
UPDATE calendly_integration i SET {_HOLD} FROM term
WHERE i.public_id = $4 AND i.status = 'active' AND {_FREE}
RETURNING i.id
"""
_IS_HELD = f"""
SELECT i.id FROM calendly_integration i
WHERE i.public_id = $1 AND i.sync_lease_until > {database_now("$2")}
"""
_CLAIM_DUE = f"""
WITH {_TERM}, due AS (
    SELECT i.id, i.sync_due_at, i.availability_read_at FROM calendly_integration i
    WHERE i.status = 'active' AND i.sync_due_at <= {indexable_now("$2")} AND {_FREE}
    ORDER BY i.availability_read_at DESC NULLS LAST, i.sync_due_at LIMIT $4
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE calendly_integration i SET {_HOLD}
    FROM term, due, app_user u WHERE i.id = due.id AND u.id = i.user_id
    RETURNING {COLUMNS}, due.sync_due_at AS was_due_at, due.availability_read_at AS was_read_at
)
SELECT * FROM taken ORDER BY was_read_at DESC NULLS LAST, was_due_at
"""
_TRANSFER = f"""
WITH {_TERM}
UPDATE calendly_integration i SET {_HOLD} FROM term
WHERE i.public_id = $4 AND i.sync_lease_owner = $5 RETURNING i.id
"""


def _crossed(at: str) -> str:
    """Return the new time of an invalidation that may have been set since the lease was taken.

    Another clock set it, and entries that were fetched during it must not seem newer.
    `invalidate` sets no time before the last sync: this refresh knew any earlier one.
    """
    return f"""
    {at} = CASE
        WHEN sync_due_at < sync_lease_until AND {at} >= coalesce(last_synced_at, {at})
        THEN greatest({at}, $3) ELSE {at} END"""


_FINISH = f"""
UPDATE calendly_integration SET {_crossed("availability_invalidated_at")},
    {_crossed("event_types_invalidated_at")},
    sync_due_at = CASE
        WHEN sync_due_at < sync_lease_until THEN least(sync_due_at, $4) ELSE $4 END,
    last_synced_at = coalesce($3, last_synced_at),
    sync_lease_owner = NULL, sync_lease_until = NULL
WHERE public_id = $1 AND sync_lease_owner = $2 RETURNING id
"""


class PiccoloSyncQueue:
    """Implements the SyncQueue port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> bool:
        row = await self._session.row(_TAKE, owner, now, until, integration_id)
        return row is not None

    async def is_held(self, integration_id: IntegrationId, now: datetime) -> bool:
        return await self._session.row(_IS_HELD, integration_id, now) is not None

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Integration]:
        rows = await self._session.rows(_CLAIM_DUE, owner, now, until, limit)
        return [to_integration(row) for row in rows]

    async def transfer(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        to: str,
        now: datetime,
        until: datetime,
    ) -> bool:
        row = await self._session.row(_TRANSFER, to, now, until, integration_id, owner)
        return row is not None

    async def finish(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        synced_at: datetime | None,
        due_at: datetime,
    ) -> bool:
        """Release the lease if this owner still holds it; the row stays locked to the commit."""
        row = await self._session.row(_FINISH, integration_id, owner, synced_at, due_at)
        return row is not None
