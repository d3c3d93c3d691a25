"""Connections that are lent and taken back.

PostgreSQL runs a single statement in its own transaction. So a read by one statement borrows a
connection without BEGIN and ROLLBACK, two more round trips. The rule not to break: nothing is
written over it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from adapters.persistence.errors import ends_session, translated

Lend = Callable[[], AbstractAsyncContextManager[Any]]
"""Lends a connection; a context manager that returns it to the pool at the end."""


class Connections(Protocol):
    """Lends connections, and takes each back in one of three ways."""

    async def acquire(self) -> Any:
        """Lend one. Raises asyncpg's errors and TimeoutError."""

    async def release(self, connection: Any) -> None:
        """Take one back that can work on."""

    async def terminate(self, connection: Any) -> None:
        """Take one back whose statement is still under way."""

    async def discard(self, connection: Any) -> None:
        """Take one back that cannot work on; others of its age cannot either."""


async def take_back(
    connections: Connections, connection: Any, error: BaseException | None
) -> None:
    """Return a connection after `error`, or after success."""
    if can_work_on(error):
        await connections.release(connection)
    elif isinstance(error, asyncio.CancelledError):
        await connections.terminate(connection)
    else:
        await connections.discard(connection)


def can_work_on(error: BaseException | None) -> bool:
    """Return whether a connection can be used after `error`.

    The statement of a canceled task is under way. To wait for its end would be to wait for a
    network that may be silent.
    """
    return error is None or not (isinstance(error, asyncio.CancelledError) or ends_session(error))


def lender(connections: Connections) -> Lend:
    """Return a function that lends a pool's connections and translates their errors."""

    @asynccontextmanager
    async def lend() -> AsyncIterator[Any]:
        with translated():
            connection = await connections.acquire()
            try:
                yield connection
            except BaseException as error:
                await take_back(connections, connection, error)
                raise
            await connections.release(connection)

    return lend
