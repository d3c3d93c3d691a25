"""The right to sync, on calendly_integration.

While the right is held, `sync_due_at` equals the lease's end: a crash makes the row due then.
A due time below the lease's end was therefore set since the right was taken, and survives.
"""

from datetime import datetime

from adapters.persistence.rows.integration import COLUMNS, to_integration
from adapters.persistence.session import Session
from domain.ids import IntegrationId, UserId
from domain.integration import Integration

_FREE = "(i.sync_lease_until IS NULL OR i.sync_lease_until <= $2)"
_HOLD = "sync_lease_owner = $1, sync_lease_until = $3, sync_due_at = $3"
_TAKE = f"""
UPDATE calendly_integration i SET {_HOLD}
WHERE i.public_id = $4 AND i.status = 'active' AND {_FREE} RETURNING i.id
"""
_CLAIM_DUE = f"""
WITH due AS (
    SELECT i.id, i.sync_due_at FROM calendly_integration i
    WHERE i.status = 'active' AND i.sync_due_at <= $2 AND {_FREE}
    ORDER BY i.sync_due_at LIMIT $4
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE calendly_integration i SET {_HOLD}
    FROM due, app_user u WHERE i.id = due.id AND u.id = i.user_id
    RETURNING {COLUMNS}, due.sync_due_at AS was_due_at
)
SELECT * FROM taken ORDER BY was_due_at
"""
_MAKE_DUE = """
UPDATE calendly_integration i
SET sync_due_at = least(i.sync_due_at, $2, i.sync_lease_until - interval '1 microsecond')
FROM app_user u WHERE u.public_id = $1 AND i.user_id = u.id
"""
_FINISH = """
UPDATE calendly_integration SET
    sync_due_at = CASE
        WHEN sync_due_at < sync_lease_until THEN least(sync_due_at, $4) ELSE $4 END,
    last_synced_at = coalesce($3, last_synced_at),
    sync_lease_owner = NULL, sync_lease_until = NULL
WHERE public_id = $1 AND sync_lease_owner = $2
"""


class PiccoloSyncQueue:
    """Implements the SyncQueue port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> bool:
        """Take one right."""
        return await self._session.row(_TAKE, owner, now, until, integration_id) is not None

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Integration]:
        """Take a page of rights."""
        rows = await self._session.rows(_CLAIM_DUE, owner, now, until, limit)
        return [to_integration(row) for row in rows]

    async def make_due(self, user_id: UserId, now: datetime) -> None:
        """Bring the due time forward, also that of a sync under way."""
        await self._session.run(_MAKE_DUE, user_id, now)

    async def finish(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        synced_at: datetime | None,
        due_at: datetime,
    ) -> None:
        """Give the right back if it is still this owner's."""
        await self._session.run(_FINISH, integration_id, owner, synced_at, due_at)
