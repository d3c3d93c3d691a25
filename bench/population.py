"""Connected users: rows in the database, with tokens encrypted as the service encrypts them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import msgspec

from adapters.security.vault import KeyRingVault
from application.tokens.token_encryption import seal_pair
from bench.stack import Stack
from domain.ids import IntegrationId
from domain.secret import Secret
from domain.token import TokenPair, parse_scopes

# Long enough ago for the job that refreshes tokens to consider them again.
LONG_AGO = timedelta(hours=2)

_USERS = """
INSERT INTO app_user (public_id, external_id, created_at)
SELECT id, id::text, $2 FROM unnest($1::uuid[]) id
"""
_INTEGRATIONS = """
INSERT INTO calendly_integration (public_id, user_id, status, account_uri, organization_uri,
    account_name, account_email, account_timezone, scheduling_url, scopes, connected_at,
    access_token_sealed, refresh_token_sealed, token_expires_at, token_version,
    last_refreshed_at, breaker_state, failed_refresh_count, breaker_trips, breaker_failed_at,
    refresh_fence, token_requests, sync_due_at, availability_version)
SELECT one.id, u.id, 'active', one.owner, one.organization, 'Host', 'host@example.com', 'UTC',
    'https://calendly.com/host', $6, $7, one.access, one.refresh, $8, 1, $9,
    'closed', 0, 0, '{}', 0, 0, $10, 0
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS one (id, owner, organization, access, refresh)
JOIN app_user u ON u.public_id = one.id
"""


_AT_ONCE = 5_000


class Grant(msgspec.Struct, frozen=True):
    """An account and its tokens; scopes are separated by spaces (OAuth 2.0)."""

    owner: str
    organization: str
    access_token: str
    refresh_token: str
    scope: str = ""


async def sandbox_grants(url: str, offset: int, count: int) -> list[Grant]:
    """Open a grant for each of these users of a sandbox, in the order they were added to it."""
    made: list[Grant] = []
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        for start in range(offset, offset + count, _AT_ONCE):
            body = {"offset": start, "count": min(_AT_ONCE, offset + count - start)}
            answer = await http.post("/_control/grants", json=body)
            answer.raise_for_status()
            made += msgspec.convert(answer.json()["grants"], list[Grant])
    return made


async def connect(
    stack: Stack,
    grants: Sequence[Grant],
    *,
    lasting: timedelta,
    at: datetime | None = None,
    sync_in: timedelta = timedelta(days=1),
) -> list[uuid.UUID]:
    """Insert a user and an integration for each grant.

    Args:
        stack: the database, and the encryption keys.
        grants: all with the same scopes.
        lasting: lifetime of the access tokens.
        at: when the users connected (UTC); None means now.
        sync_in: time until their availability is due.

    Returns:
        The id that each user and its integration share, in the order of the grants. The rows
        are numbered in that order too.

    """
    now = at or datetime.now(UTC)
    vault = KeyRingVault(stack.encryption_keys)
    ids = [uuid.uuid4() for _ in grants]
    sealed = [
        seal_pair(vault, IntegrationId(key), _pair(each, now + lasting), version=1)
        for key, each in zip(ids, grants, strict=True)
    ]
    async with stack.connection() as connection:
        await connection.execute(_USERS, ids, now)
        await connection.execute(
            _INTEGRATIONS,
            ids,
            [each.owner for each in grants],
            [each.organization for each in grants],
            [each.access for each in sealed],
            [each.refresh for each in sealed],
            list(parse_scopes(grants[0].scope)),
            now,
            now + lasting,
            now - LONG_AGO,
            now + sync_in,
        )
        await connection.execute("VACUUM ANALYZE calendly_integration")
    return ids


def _pair(grant: Grant, expires_at: datetime) -> TokenPair:
    return TokenPair(
        access=Secret(grant.access_token),
        refresh=Secret(grant.refresh_token),
        expires_at=expires_at,
        scopes=parse_scopes(grant.scope),
        owner_uri=grant.owner,
        organization_uri=grant.organization,
    )
