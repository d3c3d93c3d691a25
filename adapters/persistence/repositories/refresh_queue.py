"""The refresh lease on calendly_integration.

Each taking is one UPDATE that raises the fencing number, so PostgreSQL's row lock decides
between two takers and the loser changes nothing.
"""

from datetime import datetime

from adapters.persistence.rows.integration import (
    COLUMNS,
    attention_values,
    breaker_values,
    to_leased,
    token_values,
)
from adapters.persistence.session import Session
from domain.ids import IntegrationId
from domain.integration import Integration, Lease

_TAKE = f"""
UPDATE calendly_integration i
SET refresh_lease_owner = $2, refresh_lease_until = $4, refresh_fence = i.refresh_fence + 1
FROM app_user u
WHERE i.public_id = $1 AND u.id = i.user_id AND i.status = 'active'
    AND (i.refresh_lease_until IS NULL OR i.refresh_lease_until <= $3)
RETURNING {COLUMNS}
"""
_CLAIM_DUE = f"""
WITH due AS (
    SELECT id FROM calendly_integration
    WHERE status = 'active' AND token_expires_at <= $4
        AND (refresh_lease_until IS NULL OR refresh_lease_until <= $2)
        AND (next_refresh_at IS NULL OR next_refresh_at <= $2)
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
_MINE = "public_id = $1 AND refresh_lease_owner = $2 AND refresh_fence = $3"
# The earliest start is kept: since then the stored token may be spent.
_BEGIN_EXCHANGE = f"""
UPDATE calendly_integration SET exchange_started_at = coalesce(exchange_started_at, $4)
WHERE {_MINE} AND status = 'active' RETURNING id
"""
# A disconnect that began meanwhile stays one, yet gets the new pair: it has to be revoked.
_FINISH = f"""
UPDATE calendly_integration SET
    status = CASE WHEN status = 'disconnecting' THEN status ELSE $5 END,
    scopes = $6, organization_uri = $7,
    access_token_sealed = $8, refresh_token_sealed = $9, token_expires_at = $10,
    token_version = $11,
    breaker_state = $12, failed_refresh_count = $13, breaker_opened_at = $14,
    breaker_trips = $15, breaker_probe_until = $16,
    attention_cause = $17, attention_since = $18,
    exchange_started_at = $19, last_refreshed_at = $20, last_error_code = $21,
    next_refresh_at = $22, refresh_lease_owner = NULL, refresh_lease_until = NULL
WHERE {_MINE} AND token_version = $4 RETURNING id
"""
_RELEASE = f"""
UPDATE calendly_integration SET refresh_lease_owner = NULL, refresh_lease_until = NULL
WHERE {_MINE}
"""


class PiccoloRefreshQueue:
    """Implements the RefreshQueue port."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> tuple[Integration, Lease] | None:
        """Take one lease."""
        row = await self._session.row(_TAKE, integration_id, owner, now, until)
        return None if row is None else to_leased(row)

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, horizon: datetime, limit: int
    ) -> list[tuple[Integration, Lease]]:
        """Take a page of leases."""
        rows = await self._session.rows(_CLAIM_DUE, owner, now, until, horizon, limit)
        return [to_leased(row) for row in rows]

    async def begin_exchange(
        self, integration_id: IntegrationId, lease: Lease, now: datetime
    ) -> bool:
        """Record the start; False also when a disconnect began, so that nothing is sent."""
        row = await self._session.row(
            _BEGIN_EXCHANGE, integration_id, lease.owner, lease.fence, now
        )
        return row is not None

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
    ) -> bool:
        """Store the outcome by compare-and-set on fencing number and version."""
        row = await self._session.row(
            _FINISH,
            integration.id,
            lease.owner,
            lease.fence,
            expected_version,
            str(integration.status),
            list(integration.scopes),
            integration.account.organization_uri,
            *token_values(integration.tokens),
            *breaker_values(integration.breaker),
            *attention_values(integration.attention),
            integration.exchange_started_at,
            integration.last_refreshed_at,
            integration.last_error_code,
            next_attempt_at,
        )
        return row is not None

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        """Free the lease if it is still this one."""
        await self._session.run(_RELEASE, integration_id, lease.owner, lease.fence)
