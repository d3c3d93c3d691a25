"""Users with live grants at the sandbox and rows in the database that hold them, sealed."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from adapters.security.vault import KeyRingVault
from application.token_sealing import seal_pair
from bench.tokens.stage import Stage
from domain.ids import IntegrationId
from domain.secret import Secret
from domain.token import TokenPair, parse_scopes

_AT_ONCE = 5_000
# Beyond the horizon of the job, and refreshed long enough ago not to be left alone.
_FAR = timedelta(hours=10)
_LONG_AGO = timedelta(hours=2)

_USERS = """
INSERT INTO app_user (public_id, external_id, created_at)
SELECT id, id::text, $2 FROM unnest($1::uuid[]) id
"""
_INTEGRATIONS = """
INSERT INTO calendly_integration (public_id, user_id, status, account_uri, organization_uri,
    account_name, account_email, account_timezone, scheduling_url, scopes, connected_at,
    access_token_sealed, refresh_token_sealed, token_expires_at, token_version,
    last_refreshed_at, breaker_state, failed_refresh_count, breaker_trips, breaker_failed_at,
    refresh_fence, token_requests, sync_due_at)
SELECT one.id, u.id, 'active', one.owner, one.organization, 'Host', 'host@example.com', 'UTC',
    'https://calendly.com/host', $6::text[], $7, one.access, one.refresh, $8, 1,
    $9, 'closed', 0, 0, '{}', 0, 0, $8
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS one (id, owner, organization, access, refresh)
JOIN app_user u ON u.public_id = one.id
"""
# Rows are numbered in the order they came in.
_DUE = """
UPDATE calendly_integration SET token_expires_at = $3, last_refreshed_at = $4
WHERE id IN (SELECT id FROM calendly_integration ORDER BY id OFFSET $1 LIMIT $2)
"""
_STATES = """
SELECT count(*) FILTER (WHERE token_version > 1) AS refreshed,
    count(*) FILTER (WHERE status <> 'active') AS lost,
    count(*) FILTER (WHERE refresh_lease_owner IS NOT NULL) AS leased,
    count(*) FILTER (WHERE exchange_started_at IS NOT NULL) AS unsettled
FROM calendly_integration
"""


async def grants(stage: Stage, offset: int, count: int) -> list[Any]:
    """Open a grant of each of these users; the sandbox's answers."""
    made: list[Any] = []
    async with httpx.AsyncClient(base_url=stage.sandbox_url, timeout=60) as http:
        for start in range(offset, offset + count, _AT_ONCE):
            body = {"offset": start, "count": min(_AT_ONCE, offset + count - start)}
            answer = await http.post("/_control/grants", json=body)
            answer.raise_for_status()
            made += answer.json()["grants"]
    return made


async def populate(stage: Stage, count: int) -> None:
    """Make so many integrations, none of them due, each with a grant of its own."""
    for start in range(0, count, _AT_ONCE):
        made = await grants(stage, start, min(_AT_ONCE, count - start))
        await _insert(stage, made)


async def _insert(stage: Stage, made: Sequence[Any]) -> None:
    now = datetime.now(UTC)
    vault = KeyRingVault(stage.encryption_keys)
    ids = [uuid.uuid4() for _ in made]
    sealed = [
        seal_pair(vault, IntegrationId(key), _pair(each, now), version=1)
        for key, each in zip(ids, made, strict=True)
    ]
    connection = await asyncpg.connect(stage.postgres.dsn)
    await connection.execute(_USERS, ids, now)
    await connection.execute(
        _INTEGRATIONS,
        ids,
        [each["owner"] for each in made],
        [each["organization"] for each in made],
        [each.access for each in sealed],
        [each.refresh for each in sealed],
        list(parse_scopes(made[0]["scope"])),
        now,
        now + _FAR,
        now - _LONG_AGO,
    )
    await connection.execute("VACUUM ANALYZE calendly_integration")
    await connection.close()


def _pair(answer: Any, now: datetime) -> TokenPair:
    return TokenPair(
        access=Secret(answer["access_token"]),
        refresh=Secret(answer["refresh_token"]),
        expires_at=now + _FAR,
        scopes=parse_scopes(answer["scope"]),
        owner_uri=answer["owner"],
        organization_uri=answer["organization"],
    )


async def make_due(stage: Stage, offset: int, count: int) -> None:
    """Let the tokens of these integrations die soon."""
    now = datetime.now(UTC)
    connection = await asyncpg.connect(stage.postgres.dsn)
    soon = now + timedelta(minutes=10)
    await connection.execute(_DUE, offset, count, soon, now - _LONG_AGO)
    await connection.execute("CHECKPOINT")
    await connection.close()


async def states(stage: Stage) -> dict[str, int]:
    """Return how many integrations were refreshed, lost, and left leased or unsettled."""
    connection = await asyncpg.connect(stage.postgres.dsn)
    row = await connection.fetchrow(_STATES)
    await connection.close()
    return dict(row)
