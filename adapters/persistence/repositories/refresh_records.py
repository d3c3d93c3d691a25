"""What is written on calendly_integration before and after a token request, many rows at once.

All of a batch is one statement, so that it costs one round trip whatever its length. A batch
holds an integration once: of two changes of one row a statement makes an arbitrary one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from adapters.persistence.rows.integration import attention_values, breaker_values, token_values
from adapters.persistence.session import Session
from application.ports.storage.refresh_queue import Start
from domain.ids import IntegrationId
from domain.integration import Integration, Lease, Status
from domain.token import TOKEN_REQUESTS, TOKEN_WINDOW

_HELD = "i.refresh_lease_owner = a.owner AND i.refresh_fence = a.fence"
_LIVE = f"""
i.public_id = a.id AND {_HELD} AND i.refresh_lease_until > a.now AND i.status = a.status
"""
_ASKED = """
unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
    $7::timestamptz[]) AS a (id, owner, fence, status, now, until, since)
"""
_BEGIN = f"""
UPDATE calendly_integration i SET exchange_started_at = a.now, refresh_lease_until = a.until,
    token_requests = CASE WHEN i.token_requests_since > a.since THEN i.token_requests ELSE 0 END
        + 1,
    token_requests_since =
        CASE WHEN i.token_requests_since > a.since THEN i.token_requests_since ELSE a.now END
FROM {_ASKED}
WHERE {_LIVE}
    AND (i.token_requests < {TOKEN_REQUESTS} OR i.token_requests_since <= a.since)
RETURNING a.id
"""
_WHY_NOT = f"""
SELECT a.id, i.token_requests_since FROM calendly_integration i, {_ASKED} WHERE {_LIVE}
"""
# A pair that was late: who was refused meanwhile had sent the token that it came from.
_REVIVED = "i.status = 'reauth_required' AND a.status = 'active'"
# A disconnect that began meanwhile stays one, yet gets the new pair: it has to be revoked.
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
    refresh_lease_owner =
        CASE WHEN {_HELD} AND a.held_until IS NULL THEN NULL ELSE i.refresh_lease_owner END,
    refresh_lease_until = CASE WHEN {_HELD} THEN a.held_until ELSE i.refresh_lease_until END
FROM json_to_recordset($1::json) AS a (id uuid, owner text, fence bigint, expected bigint,
    status text, scopes text[], organization_uri text,
    access text, refresh text, expires_at timestamptz, version bigint,
    breaker_state text, failures int, opened_at timestamptz, trips int, probe_until timestamptz,
    failed_at timestamptz[], open_until timestamptz,
    attention_cause text, attention_since timestamptz,
    exchange_started_at timestamptz, last_refreshed_at timestamptz, last_error_code text,
    next_attempt_at timestamptz, connected_at timestamptz, held_until timestamptz)
WHERE i.public_id = a.id AND i.connected_at = a.connected_at AND CASE
    WHEN a.version IS NULL OR a.version = a.expected OR i.status = 'disconnecting'
        THEN i.token_version = a.expected AND {_HELD}
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
    *("next_attempt_at", "connected_at", "held_until"),
)


class Beginning(NamedTuple):
    """A token request that is about to leave; see `RefreshQueue.begin_exchange`."""

    integration_id: IntegrationId
    lease: Lease
    now: datetime
    until: datetime


class Ending(NamedTuple):
    """What came of a token request; see `RefreshQueue.finish`."""

    integration: Integration
    lease: Lease
    expected_version: int
    next_attempt_at: datetime | None
    held_until: datetime | None


async def begin_all(session: Session, beginnings: Sequence[Beginning]) -> list[Start]:
    """Record starts, renew leases and count requests; in the order of what was asked."""
    # In one order of rows, so that processes with the same rows do not deadlock.
    ordered = sorted(beginnings, key=lambda each: each.integration_id)
    asked = list(zip(*map(_asked, ordered), strict=True))
    granted = {row["id"] for row in await session.rows(_BEGIN, *asked)}
    full: dict[Any, datetime] = {}
    if len(granted) < len(beginnings):
        rows = await session.rows(_WHY_NOT, *asked)
        full = {row["id"]: row["token_requests_since"] for row in rows}
    return [
        _start(each, each.integration_id in granted, full.get(each.integration_id))
        for each in beginnings
    ]


async def finish_all(session: Session, endings: Sequence[Ending]) -> list[bool]:
    """Store outcomes by compare-and-set; which were stored, in the order of what was asked."""
    ordered = sorted(endings, key=lambda each: each.integration.id)
    records = [dict(zip(_NAMES, _values(each), strict=True)) for each in ordered]
    rows = await session.rows(_FINISH, msgspec.json.encode(records).decode())
    stored = {row["id"] for row in rows}
    return [each.integration.id in stored for each in endings]


def status_of(*, disconnecting: bool) -> str:
    """Return the status that an integration must have to be exchanged under a lease."""
    return str(Status.DISCONNECTING if disconnecting else Status.ACTIVE)


def _asked(one: Beginning) -> tuple[object, ...]:
    lease, status = one.lease, status_of(disconnecting=one.lease.disconnecting)
    since = one.now - TOKEN_WINDOW
    return (one.integration_id, lease.owner, lease.fence, status, one.now, one.until, since)


def _start(one: Beginning, granted: bool, full_since: datetime | None) -> Start:
    if granted or full_since is None:
        return Start(granted=granted)
    return Start(granted=False, wait=full_since + TOKEN_WINDOW - one.now)


def _values(one: Ending) -> tuple[object, ...]:
    integration = one.integration
    return (
        integration.id,
        one.lease.owner,
        one.lease.fence,
        one.expected_version,
        str(integration.status),
        integration.scopes,
        integration.account.organization_uri,
        *token_values(integration.tokens),
        *breaker_values(integration.breaker),
        *attention_values(integration.attention),
        integration.exchange_started_at,
        integration.last_refreshed_at,
        integration.last_error_code,
        one.next_attempt_at,
        integration.connected_at,
        one.held_until,
    )
