"""Looks at keys and users, on a connection that is borrowed for one statement.

As with the looks at the availability cache, a transaction around one statement would add two
round trips and nothing else. The rule not to break: here nothing is written.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from adapters.persistence.errors import translated
from application.ports.callers import Caller
from domain.ids import UserId

_FIND = """
SELECT u.public_id AS user_id FROM api_key k LEFT JOIN app_user u ON u.external_id = $2
WHERE k.key_hash = $1 AND k.revoked_at IS NULL
"""


class PooledCallers:
    """Implements the Callers port on a pool."""

    def __init__(
        self, acquire: Callable[[], Any], release: Callable[[Any], Awaitable[None]]
    ) -> None:
        self._acquire = acquire
        self._release = release

    async def find(self, key_hash: bytes, external_id: str | None) -> Caller | None:
        """Look both up in one statement."""
        with translated():
            connection = await self._acquire()
            try:
                row = await connection.fetchrow(_FIND, key_hash, external_id)
            finally:
                await self._release(connection)
        if row is None:
            return None
        return Caller(None if row["user_id"] is None else UserId(row["user_id"]))
