"""A pool of one connection, which knows whether it is lent."""

from typing import Any

from adapters.persistence.borrowed_connection import Lend, lender


class OneConnection:
    """A pool of one connection."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.lent = 0

    @property
    def lend(self) -> Lend:
        """Lends it for one statement."""
        return lender(self)

    async def acquire(self) -> Any:
        self.lent += 1
        return self._connection

    async def release(self, connection: Any) -> None:
        assert connection is self._connection
        self.lent -= 1

    async def terminate(self, connection: Any) -> None:
        await self.release(connection)

    async def discard(self, connection: Any) -> None:
        await self.release(connection)
