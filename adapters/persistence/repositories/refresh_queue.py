"""The refresh lease on calendly_integration, and the records around each token request.

Each `take` is one UPDATE that raises the fencing number, so PostgreSQL's row lock decides between
two processes and the later one changes nothing. A new pair is stored even without the lease. A
batch holds an integration at most once: of two changes to one row a statement applies only one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from adapters.persistence.database_clock import database_now, database_time, indexable_now
from adapters.persistence.rows.integration import (
    COLUMNS,
    attention_values,
    breaker_values,
    to_leased,
    token_values,
)
from adapters.persistence.session import Session
from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult
from domain.ids import IntegrationId
from domain.integration import Integration, Lease, Status
from domain.refusal import MANY_ACCOUNTS, RecentOutcomes
from domain.token import LEFT_ALONE_FOR, TOKEN_REQUESTS, TOKEN_WINDOW

_SAME_LEASE = "i.refresh_lease_owner = a.owner AND i.refresh_fence = a.fence"
_LIVE = f"""
i.public_id = a.id AND {_SAME_LEASE} AND i.refresh_lease_until > a.now
AND i.token_version = a.version AND (i.status = 'disconnecting') = a.disconnecting
"""
_STARTS = """
(SELECT id, owner, fence, disconnecting, version, moment AS now,
    moment + (until - caller) AS until, moment - (caller - since) AS since
FROM (SELECT *, slotkeeper_now(caller) AS moment FROM unnest($1::uuid[], $2::text[], $3::bigint[],
    $4::boolean[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::bigint[])
    AS s (id, owner, fence, disconnecting, caller, until, since, version)) AS started) AS a
"""
_BEGIN = f"""
UPDATE calendly_integration i SET exchange_started_at = a.now, exchange_unanswered = NULL,
    refresh_lease_until = a.until,
    token_requests = CASE WHEN i.token_requests_since > a.since THEN i.token_requests ELSE 0 END
        + 1,
    token_requests_since =
        CASE WHEN i.token_requests_since > a.since THEN i.token_requests_since ELSE a.now END
FROM {_STARTS}
WHERE {_LIVE}
    AND (i.token_requests < {TOKEN_REQUESTS} OR i.token_requests_since <= a.since)
RETURNING a.id
"""
_REQUESTS_SINCE = f"""
SELECT a.id, i.token_requests_since - a.since AS wait FROM calendly_integration i, {_STARTS} WHERE {_LIVE}
"""
# A pair that was late: another process had sent the same token again and was refused.
_REVIVED = "i.status = 'reauth_required' AND a.status = 'active'"
# A disconnect that began during the refresh stays one, and gets the new pair to revoke it.
# One statement for the whole batch, which costs one round trip whatever its length.
_FINISH = f"""
UPDATE calendly_integration i SET
    status = CASE WHEN i.status = 'disconnecting' THEN i.status ELSE a.status END,
    availability_version = i.availability_version + (i.status <> a.status)::int,
    scopes = a.scopes, organization_uri = a.organization_uri,
    access_token_sealed = a.access, refresh_token_sealed = a.refresh,
    token_expires_at = a.expires_at, token_version = a.version,
    refused_version = CASE WHEN a.status = 'reauth_required' THEN a.expected END,
    breaker_state = a.breaker_state, failed_refresh_count = a.failures,
    breaker_opened_at = a.opened_at, breaker_trips = a.trips,
    breaker_probe_until = a.probe_until, breaker_failed_at = a.failed_at,
    breaker_open_until = a.open_until,
    recovered_from = CASE WHEN {_REVIVED} THEN i.attention_cause ELSE i.recovered_from END,
    recovered_at = CASE WHEN {_REVIVED} THEN a.last_refreshed_at ELSE i.recovered_at END,
    attention_cause = a.attention_cause, attention_since = a.attention_since,
    exchange_started_at = a.exchange_started_at, last_refreshed_at = a.last_refreshed_at,
    last_error_code = a.last_error_code, next_refresh_at = a.next_attempt_at,
    client_id = a.client_id, refused_at = a.refused_at, refusals = a.refusals,
    exchange_unanswered = a.exchange_unanswered, error_since = a.error_since,
    scopes_missing_since = a.scopes_missing_since,
    refresh_lease_owner =
        CASE WHEN {_SAME_LEASE} AND a.keep_lease_until IS NULL THEN NULL ELSE i.refresh_lease_owner END,
    refresh_lease_until = CASE WHEN {_SAME_LEASE} THEN a.keep_lease_until ELSE i.refresh_lease_until END
FROM json_to_recordset($1::json) AS a (id uuid, owner text, fence bigint, expected bigint,
    status text, scopes text[], organization_uri text,
    access text, refresh text, expires_at timestamptz, version bigint,
    breaker_state text, failures int, opened_at timestamptz, trips int, probe_until timestamptz,
    failed_at timestamptz[], open_until timestamptz,
    attention_cause text, attention_since timestamptz,
    exchange_started_at timestamptz, last_refreshed_at timestamptz, last_error_code text,
    next_attempt_at timestamptz, connected_at timestamptz, keep_lease_until timestamptz,
    client_id text, refused_at timestamptz, refusals bigint,
    exchange_unanswered boolean, error_since timestamptz, scopes_missing_since timestamptz)
WHERE i.public_id = a.id AND i.connected_at = a.connected_at AND CASE
    WHEN a.version IS NULL OR a.version = a.expected OR i.status = 'disconnecting'
        THEN i.token_version = a.expected AND {_SAME_LEASE}
    WHEN i.status = 'reauth_required' THEN
        i.refused_version = a.expected AND i.attention_cause IS DISTINCT FROM 'owner_changed'
    ELSE i.token_version = a.expected
END
RETURNING a.id
"""
_NAMES = (
    *("id", "owner", "fence", "expected", "status", "scopes", "organization_uri"),
    *("access", "refresh", "expires_at", "version"),
    *("breaker_state", "failures", "opened_at", "trips", "probe_until", "failed_at"),
    *("open_until", "attention_cause", "attention_since"),
    *("exchange_started_at", "last_refreshed_at", "last_error_code"),
    *("next_attempt_at", "connected_at", "keep_lease_until"),
    *("client_id", "refused_at", "refusals"),
    *("exchange_unanswered", "error_since", "scopes_missing_since"),
)
_TAKE = f"""
UPDATE calendly_integration i
SET refresh_lease_owner = $2, refresh_lease_until = {database_time("$4", "$3")},
    refresh_fence = i.refresh_fence + 1
FROM app_user u
WHERE i.public_id = $1 AND u.id = i.user_id AND i.status = $5
    AND (i.refresh_lease_until IS NULL OR i.refresh_lease_until <= {database_now("$3")})
RETURNING {COLUMNS}
"""
_CLAIM_DUE = f"""
WITH due AS (
    SELECT id FROM calendly_integration
    WHERE status = 'active' AND token_expires_at <= {indexable_now("$2")} + ($4::timestamptz - $2::timestamptz)
        AND (refresh_lease_until IS NULL OR refresh_lease_until <= {database_now("$2")})
        AND coalesce(next_refresh_at, '-infinity') <= {database_now("$2")}
        AND coalesce(last_refreshed_at, '-infinity') <= {database_time("$6", "$2")}
        AND ($7::text IS NULL OR client_id IS NULL OR client_id = $7)
    ORDER BY token_expires_at LIMIT $5
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE calendly_integration i
    SET refresh_lease_owner = $1, refresh_lease_until = {database_time("$3", "$2")},
        refresh_fence = i.refresh_fence + 1
    FROM due, app_user u WHERE i.id = due.id AND u.id = i.user_id
    RETURNING {COLUMNS}
)
SELECT * FROM taken ORDER BY token_expires_at
"""
_ASKED_AGAIN = "status = 'reauth_required' AND token_version IS NOT NULL"
_CLAIM_REFUSED = f"""
WITH due AS (
    SELECT id FROM calendly_integration
    WHERE {_ASKED_AGAIN} AND next_refresh_at <= {database_now("$2")}
        AND (refresh_lease_until IS NULL OR refresh_lease_until <= {database_now("$2")})
        AND (client_id IS NULL OR client_id = $5)
    ORDER BY next_refresh_at LIMIT $4
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE calendly_integration i
SET refresh_lease_owner = $1, refresh_lease_until = {database_time("$3", "$2")},
    refresh_fence = i.refresh_fence + 1
FROM due, app_user u WHERE i.id = due.id AND u.id = i.user_id
RETURNING {COLUMNS}
"""
_COUNT_FOREIGN = """
SELECT count(*) AS count FROM calendly_integration
WHERE status = 'active' AND token_expires_at <= $1 AND client_id <> $2
"""
# No index says when a pair came; all live equally long, so those that die last came last. Were a
# few to live longer, fewer successes would be seen, and the brake would only hold earlier.
_RECENT_OUTCOMES = f"""
WITH refused AS (
    SELECT max(refused_at) AS at FROM calendly_integration
    WHERE refused_at > $1 AND account_uri <> $2
    GROUP BY account_uri ORDER BY at DESC LIMIT {MANY_ACCOUNTS - 1}
), newest AS (
    SELECT last_refreshed_at AS at FROM calendly_integration
    WHERE status = 'active' ORDER BY token_expires_at DESC LIMIT 100
)
SELECT (SELECT count(*) FROM refused) AS refused,
    (SELECT count(*) FROM newest WHERE at >= (SELECT min(at) FROM refused)) AS refreshed
"""
# The result is by the caller's clock, so that the caller may compare it with its own reading.
_NEXT_ATTEMPT = f"""
SELECT $1::timestamptz + (min(at) - {database_now("$1")}) AS at FROM (
    SELECT greatest(next_refresh_at, refresh_lease_until) AS at FROM calendly_integration
    WHERE status = 'active' AND token_expires_at <= {database_time("$2", "$1")}
        AND coalesce(last_refreshed_at, '-infinity') <= {database_time("$3", "$1")}
    UNION ALL
    SELECT greatest(next_refresh_at, refresh_lease_until) FROM calendly_integration
    WHERE {_ASKED_AGAIN}
) waits WHERE at > {database_now("$1")}
"""
_PAUSED_UNTIL = f"""
SELECT $2::timestamptz + (refresh_lease_until - {database_now("$2")}) AS until FROM calendly_integration
WHERE public_id = $1 AND refresh_lease_until > {database_now("$2")}
    AND next_refresh_at >= refresh_lease_until
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
        status = _status(disconnecting=disconnecting)
        row = await self._session.row(_TAKE, integration_id, owner, now, until, status)
        if row is None:
            return None
        integration, lease = to_leased(row)
        return integration, replace(lease, expires_at=until, disconnecting=disconnecting)

    async def claim_due(
        self,
        owner: str,
        now: datetime,
        until: datetime,
        horizon: datetime,
        limit: int,
        *,
        client_id: str | None = None,
    ) -> list[tuple[Integration, Lease]]:
        rows = await self._session.rows(
            _CLAIM_DUE, owner, now, until, horizon, limit, now - LEFT_ALONE_FOR, client_id
        )
        leased = (to_leased(row) for row in rows)
        return [(integration, replace(lease, expires_at=until)) for integration, lease in leased]

    async def claim_refused(
        self, owner: str, now: datetime, until: datetime, limit: int, *, client_id: str
    ) -> list[tuple[Integration, Lease]]:
        rows = await self._session.rows(_CLAIM_REFUSED, owner, now, until, limit, client_id)
        leased = (to_leased(row) for row in rows)
        return [(integration, replace(lease, expires_at=until)) for integration, lease in leased]

    async def count_foreign(self, horizon: datetime, client_id: str) -> int:
        (row,) = await self._session.rows(_COUNT_FOREIGN, horizon, client_id)
        return int(row["count"])

    async def recent_outcomes(self, integration: Integration, since: datetime) -> RecentOutcomes:
        account = integration.account.user_uri
        (row,) = await self._session.rows(_RECENT_OUTCOMES, since, account)
        return RecentOutcomes(refused=row["refused"] + 1, refreshed=row["refreshed"])

    async def begin(self, starts: Sequence[RefreshStart]) -> list[StartResult]:
        # In one order of rows, so that processes with the same rows do not deadlock.
        ordered = sorted(starts, key=lambda each: each.integration_id)
        columns = list(zip(*map(_start_values, ordered), strict=True))
        granted = {row["id"] for row in await self._session.rows(_BEGIN, *columns)}
        waits: dict[Any, timedelta] = {}
        if len(granted) < len(starts):
            rows = await self._session.rows(_REQUESTS_SINCE, *columns)
            waits = {row["id"]: row["wait"] for row in rows}
        return [
            StartResult(
                granted=each.integration_id in granted,
                wait=None if each.integration_id in granted else waits.get(each.integration_id),
            )
            for each in starts
        ]

    async def next_attempt(self, now: datetime, horizon: datetime) -> datetime | None:
        row = await self._session.row(_NEXT_ATTEMPT, now, horizon, now - LEFT_ALONE_FOR)
        at: datetime | None = row and row["at"]
        return at

    async def paused_until(self, integration_id: IntegrationId, now: datetime) -> datetime | None:
        row = await self._session.row(_PAUSED_UNTIL, integration_id, now)
        until: datetime | None = row and row["until"]
        return until

    async def finish(self, ends: Sequence[RefreshEnd]) -> list[bool]:
        ordered = sorted(ends, key=lambda each: each.integration.id)
        records = [dict(zip(_NAMES, _end_values(each), strict=True)) for each in ordered]
        rows = await self._session.rows(_FINISH, msgspec.json.encode(records).decode())
        stored = {row["id"] for row in rows}
        return [each.integration.id in stored for each in ends]

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        await self._session.run(_RELEASE, integration_id, lease.owner, lease.fence)


def _status(*, disconnecting: bool) -> str:
    """Return the status that an integration must have for its lease to be taken."""
    return str(Status.DISCONNECTING if disconnecting else Status.ACTIVE)


def _start_values(start: RefreshStart) -> tuple[object, ...]:
    lease, since = start.lease, start.now - TOKEN_WINDOW
    return (
        start.integration_id,
        lease.owner,
        lease.fence,
        lease.disconnecting,
        start.now,
        start.until,
        since,
        start.version,
    )


def _end_values(end: RefreshEnd) -> tuple[object, ...]:
    integration = end.integration
    return (
        integration.id,
        end.lease.owner,
        end.lease.fence,
        end.expected_version,
        str(integration.status),
        integration.scopes,
        integration.account.organization_uri,
        *token_values(integration.tokens),
        *breaker_values(integration.breaker),
        *attention_values(integration.attention),
        integration.exchange_started_at,
        integration.last_refreshed_at,
        integration.last_error_code,
        end.next_attempt_at,
        integration.connected_at,
        end.keep_lease_until,
        integration.client_id,
        integration.refused_at,
        integration.refusals,
        integration.exchange_unanswered,
        integration.error_since,
        integration.scopes_missing_since,
    )
