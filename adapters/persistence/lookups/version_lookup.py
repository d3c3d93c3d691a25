"""Versions of cached availability, in one statement for all concurrent requests.

The rule not to break: a result is never older than its request. While one statement runs, new
requests form the next group and wait for the next statement.
"""

from collections.abc import Sequence
from typing import NamedTuple

from adapters.persistence.borrowed_connection import Lend
from application.resilience.group_commit import GroupCommit
from domain.ids import IntegrationId

_LARGEST_GROUP = 1000
# One statement, so one moment: a revoked key and a raised version are seen together. A key that is
# bound to networks is left to the route, which knows the client's address. A webhook
# that is not applied yet has changed the possible response, but not yet the version.
_CURRENT = """
SELECT key_hash AS found, NULL::bigint AS version FROM api_key
WHERE key_hash = ANY ($1::bytea[]) AND revoked_at IS NULL AND networks IS NULL
    AND (expires_at IS NULL OR expires_at > clock_timestamp())
UNION ALL
SELECT uuid_send(i.public_id), i.availability_version FROM calendly_integration i
WHERE i.public_id = ANY ($2::uuid[]) AND i.status = 'active' AND NOT EXISTS (
    SELECT FROM calendly_webhook_event e WHERE e.user_id = i.user_id AND e.status = 'pending'
)
"""


class _Request(NamedTuple):
    key_hash: bytes
    integration_id: IntegrationId


class GroupedVersionLookup:
    """Implements the VersionLookup port on a pool, one statement a group, no transaction."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend
        self._grouped: GroupCommit[_Request, int | None] = GroupCommit(
            self._read, at_most=_LARGEST_GROUP, turns=1
        )

    async def current(self, key_hash: bytes, integration_id: IntegrationId) -> int | None:
        return await self._grouped(_Request(key_hash, integration_id))

    async def _read(self, group: Sequence[_Request]) -> list[int | None]:
        keys = {one.key_hash for one in group}
        integrations = {one.integration_id for one in group}
        async with self._lend() as connection:
            rows = await connection.fetch(_CURRENT, keys, integrations)
        # A key's hash has 32 bytes and an id 16, so they cannot be confused.
        found: dict[bytes, int | None] = dict(rows)
        return [
            found.get(one.integration_id.bytes) if one.key_hash in found else None for one in group
        ]
