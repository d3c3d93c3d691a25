"""The refresh lease on calendly_integration.

Each taking is one UPDATE that raises the fencing number, so PostgreSQL's row lock decides
between two takers and the loser changes nothing; but a new pair is never thrown away for it.
"""

from datetime import datetime

from msgspec.structs import replace

from adapters.persistence.repositories.refresh_records import (
    Beginning,
    Ending,
    begin_all,
    finish_all,
    status_of,
)
from adapters.persistence.rows.integration import COLUMNS, to_leased
from adapters.persistence.session import Session
from application.ports.storage.refresh_queue import Start
from domain.ids import IntegrationId
from domain.integration import Integration, Lease
from domain.token import LEFT_ALONE_FOR

_TAKE = f"""
UPDATE calendly_integration i
SET refresh_lease_owner = $2, refresh_lease_until = $4, refresh_fence = i.refresh_fence + 1
FROM app_user u
WHERE i.public_id = $1 AND u.id = i.user_id AND i.status = $5
    AND (i.refresh_lease_until IS NULL OR i.refresh_lease_until <= $3)
RETURNING {COLUMNS}
"""
_CLAIM_DUE = f"""
WITH due AS (
    SELECT id FROM calendly_integration
    WHERE status = 'active' AND token_expires_at <= $4
        AND (refresh_lease_until IS NULL OR refresh_lease_until <= $2)
        AND coalesce(next_refresh_at, '-infinity') <= $2
        AND coalesce(last_refreshed_at, '-infinity') <= $6
    ORDER BY token_expires_at LIMIT $5
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE calendly_integration i
    SET refresh_lease_owner = $1, refresh_lease_until = $3, refresh_fence = i.refresh_fence + 1
    FROM due, app_user u WHERE i.id = due.id AND u.id = i.user_id
    RETURNING {COLUMNS}
)
SELECT * FROM taken ORDER BY token_expires_at
"""
_NEXT_ATTEMPT = """
SELECT min(greatest(next_refresh_at, refresh_lease_until)) AS at FROM calendly_integration
WHERE status = 'active' AND token_expires_at <= $2
    AND coalesce(last_refreshed_at, '-infinity') <= $3
    AND greatest(next_refresh_at, refresh_lease_until) > $1
"""
_RESTS_UNTIL = """
SELECT refresh_lease_until AS until FROM calendly_integration
WHERE public_id = $1 AND refresh_lease_until > $2 AND next_refresh_at >= refresh_lease_until
"""
_RELEASE = """
UPDATE calendly_integration SET refresh_lease_owner = NULL, refresh_lease_until = NULL
WHERE public_id = $1 AND refresh_lease_owner = $2 AND refresh_fence = $3
"""


class PiccoloRefreshQueue:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(
        self,
        integration_id: IntegrationId,
        owner: str,
        now: datetime,
        until: datetime,
        *,
        disconnecting: bool = False,
    ) -> tuple[Integration, Lease] | None:
        status = status_of(disconnecting=disconnecting)
        row = await self._session.row(_TAKE, integration_id, owner, now, until, status)
        if row is None:
            return None
        integration, lease = to_leased(row)
        return integration, replace(lease, disconnecting=disconnecting)

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, horizon: datetime, limit: int
    ) -> list[tuple[Integration, Lease]]:
        rows = await self._session.rows(
            _CLAIM_DUE, owner, now, until, horizon, limit, now - LEFT_ALONE_FOR
        )
        return [to_leased(row) for row in rows]

    async def begin_exchange(
        self, integration_id: IntegrationId, lease: Lease, now: datetime, until: datetime
    ) -> Start:
        beginning = Beginning(integration_id, lease, now, until)
        (start,) = await begin_all(self._session, [beginning])
        return start

    async def next_attempt(self, now: datetime, horizon: datetime) -> datetime | None:
        row = await self._session.row(_NEXT_ATTEMPT, now, horizon, now - LEFT_ALONE_FOR)
        at: datetime | None = row and row["at"]
        return at

    async def rests_until(self, integration_id: IntegrationId, now: datetime) -> datetime | None:
        row = await self._session.row(_RESTS_UNTIL, integration_id, now)
        until: datetime | None = row and row["until"]
        return until

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
        held_until: datetime | None = None,
    ) -> bool:
        ending = Ending(integration, lease, expected_version, next_attempt_at, held_until)
        (stored,) = await finish_all(self._session, [ending])
        return stored

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        await self._session.run(_RELEASE, integration_id, lease.owner, lease.fence)
