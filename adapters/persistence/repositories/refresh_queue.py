"""The refresh lease on calendly_integration.

Each taking is one UPDATE that raises the fencing number, so PostgreSQL's row lock decides
between two takers and the loser changes nothing; but a new pair is never thrown away for it.
"""

from datetime import datetime

from msgspec.structs import replace

from adapters.persistence.rows.integration import (
    COLUMNS,
    attention_values,
    breaker_values,
    to_leased,
    token_values,
)
from adapters.persistence.session import Session
from application.ports.refresh_queue import Start
from domain.ids import IntegrationId
from domain.integration import Integration, Lease, Status
from domain.token import LEFT_ALONE_FOR, TOKEN_REQUESTS, TOKEN_WINDOW

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
        AND (next_refresh_at IS NULL OR next_refresh_at <= $2)
        AND (last_refreshed_at IS NULL OR last_refreshed_at <= $6)
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
_HELD = "refresh_lease_owner = $2 AND refresh_fence = $3"
_MINE = f"public_id = $1 AND {_HELD}"
_LIVE = f"{_MINE} AND refresh_lease_until > $4 AND status = $5"
_BEGIN_EXCHANGE = f"""
UPDATE calendly_integration SET exchange_started_at = $4, refresh_lease_until = $6,
    token_requests = CASE WHEN token_requests_since > $7 THEN token_requests ELSE 0 END + 1,
    token_requests_since =
        CASE WHEN token_requests_since > $7 THEN token_requests_since ELSE $4 END
WHERE {_LIVE} AND (token_requests < $8 OR token_requests_since <= $7) RETURNING id
"""
_WHY_NOT = f"SELECT token_requests_since FROM calendly_integration WHERE {_LIVE}"
_NEXT_ATTEMPT = """
SELECT min(greatest(next_refresh_at, refresh_lease_until)) AS at FROM calendly_integration
WHERE status = 'active' AND token_expires_at <= $2
    AND (last_refreshed_at IS NULL OR last_refreshed_at <= $3)
    AND greatest(next_refresh_at, refresh_lease_until) > $1
"""
# A disconnect that began meanwhile stays one, yet gets the new pair: it has to be revoked.
_OUTCOME = f"""
UPDATE calendly_integration SET
    status = CASE WHEN status = 'disconnecting' THEN status ELSE $5 END,
    scopes = $6, organization_uri = $7,
    access_token_sealed = $8, refresh_token_sealed = $9, token_expires_at = $10,
    token_version = $11,
    breaker_state = $12, failed_refresh_count = $13, breaker_opened_at = $14,
    breaker_trips = $15, breaker_probe_until = $16,
    breaker_failed_at = $17, breaker_open_until = $18,
    attention_cause = $19, attention_since = $20,
    exchange_started_at = $21, last_refreshed_at = $22, last_error_code = $23,
    next_refresh_at = $24,
    refresh_lease_owner =
        CASE WHEN {_HELD} AND $26::timestamptz IS NULL THEN NULL ELSE refresh_lease_owner END,
    refresh_lease_until = CASE WHEN {_HELD} THEN $26 ELSE refresh_lease_until END
WHERE public_id = $1 AND connected_at = $25
"""
_FINISH = f"{_OUTCOME} AND {_HELD} AND token_version = $4 RETURNING id"
_FINISH_WITH_PAIR = f"""
{_OUTCOME} AND CASE status
    WHEN 'active' THEN token_version = $4
    WHEN 'reauth_required' THEN attention_cause IS DISTINCT FROM 'owner_changed'
    ELSE token_version = $4 AND {_HELD}
END
RETURNING id
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
        self,
        integration_id: IntegrationId,
        owner: str,
        now: datetime,
        until: datetime,
        *,
        disconnecting: bool = False,
    ) -> tuple[Integration, Lease] | None:
        """Take one lease."""
        status = _status(disconnecting)
        row = await self._session.row(_TAKE, integration_id, owner, now, until, status)
        if row is None:
            return None
        integration, lease = to_leased(row)
        return integration, replace(lease, disconnecting=disconnecting)

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, horizon: datetime, limit: int
    ) -> list[tuple[Integration, Lease]]:
        """Take a page of leases."""
        rows = await self._session.rows(
            _CLAIM_DUE, owner, now, until, horizon, limit, now - LEFT_ALONE_FOR
        )
        return [to_leased(row) for row in rows]

    async def begin_exchange(
        self, integration_id: IntegrationId, lease: Lease, now: datetime, until: datetime
    ) -> Start:
        """Record the start, renew the lease and count the request."""
        mine = (integration_id, lease.owner, lease.fence, now, _status(lease.disconnecting))
        row = await self._session.row(
            _BEGIN_EXCHANGE, *mine, until, now - TOKEN_WINDOW, TOKEN_REQUESTS
        )
        if row is not None:
            return Start(granted=True)
        full = await self._session.row(_WHY_NOT, *mine)
        wait = full and full["token_requests_since"] + TOKEN_WINDOW - now
        return Start(granted=False, wait=wait)

    async def next_attempt(self, now: datetime, horizon: datetime) -> datetime | None:
        """Look at those that are due but wait."""
        row = await self._session.row(_NEXT_ATTEMPT, now, horizon, now - LEFT_ALONE_FOR)
        at: datetime | None = row and row["at"]
        return at

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
        held_until: datetime | None = None,
    ) -> bool:
        """Store the outcome by compare-and-set; a new pair is not asked for its lease."""
        tokens = integration.tokens
        has_pair = tokens is not None and tokens.version != expected_version
        row = await self._session.row(
            _FINISH_WITH_PAIR if has_pair else _FINISH,
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
            integration.connected_at,
            held_until,
        )
        return row is not None

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        """Free the lease if it is still this one."""
        await self._session.run(_RELEASE, integration_id, lease.owner, lease.fence)


def _status(disconnecting: bool) -> str:
    return str(Status.DISCONNECTING if disconnecting else Status.ACTIVE)
