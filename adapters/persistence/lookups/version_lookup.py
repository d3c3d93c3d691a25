"""Standings, looked up together by all who ask at the same moment.

The rule not to break: an answer is never older than its question. While one statement is under
way the next group gathers, and whoever comes in between waits for that one.
"""

from collections.abc import Sequence
from typing import NamedTuple

from adapters.persistence.borrowed_connection import Lend
from application.resilience.group_commit import GroupCommit
from domain.ids import IntegrationId

# Seconds; whoever asks has another way, which says by itself what is wrong.
STATEMENT_SECONDS = 2.0
_LARGEST_GROUP = 1000
# One statement, so one moment: a key that is revoked and a version that grows are seen together.
# A webhook that waits to be applied has changed what may be said, but no version yet.
_LOOK = """
SELECT key_hash AS found, NULL::bigint AS version FROM api_key
WHERE key_hash = ANY ($1::bytea[]) AND revoked_at IS NULL
UNION ALL
SELECT uuid_send(i.public_id), i.availability_version FROM calendly_integration i
WHERE i.public_id = ANY ($2::uuid[]) AND i.status = 'active' AND NOT EXISTS (
    SELECT FROM calendly_webhook_event e WHERE e.user_id = i.user_id AND e.status = 'pending'
)
"""


class _Asked(NamedTuple):
    key_hash: bytes
    integration_id: IntegrationId


class GroupedVersionLookup:
    """Implements the Standings port on a pool, one statement a group and no transaction."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend
        self._ask: GroupCommit[_Asked, int | None] = GroupCommit(
            self._look, at_most=_LARGEST_GROUP, turns=1
        )

    async def current(self, key_hash: bytes, integration_id: IntegrationId) -> int | None:
        """Look with whoever asks at this moment."""
        return await self._ask(_Asked(key_hash, integration_id))

    async def _look(self, group: Sequence[_Asked]) -> list[int | None]:
        keys = {one.key_hash for one in group}
        integrations = {one.integration_id for one in group}
        async with self._lend() as connection:
            rows = await connection.fetch(_LOOK, keys, integrations, timeout=STATEMENT_SECONDS)
        # A key's hash has 32 bytes and an id 16, so neither is taken for the other.
        found: dict[bytes, int | None] = dict(rows)
        return [
            found.get(one.integration_id.bytes) if one.key_hash in found else None for one in group
        ]
