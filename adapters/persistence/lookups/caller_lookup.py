"""Reads of API keys and users, on a connection that is borrowed for one statement.

The rule not to break: nothing is written here; see `adapters.persistence.borrowed_connection`.
"""

from adapters.persistence.borrowed_connection import Lend
from adapters.persistence.repositories.api_keys import networks_of, scopes_of
from application.ports.storage.caller_lookup import Caller
from domain.ids import UserId

_FIND = """
SELECT u.public_id AS user_id, k.public_id AS key_id, k.scopes, k.networks
FROM api_key k LEFT JOIN app_user u ON u.external_id = $2
WHERE k.key_hash = $1 AND k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
"""


class PooledCallerLookup:
    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def find(self, key_hash: bytes, external_id: str | None) -> Caller | None:
        async with self._lend() as connection:
            row = await connection.fetchrow(_FIND, key_hash, external_id)
        if row is None:
            return None
        return Caller(
            user_id=None if row["user_id"] is None else UserId(row["user_id"]),
            key_id=row["key_id"],
            scopes=scopes_of(row["scopes"]),
            networks=networks_of(row["networks"]),
        )
