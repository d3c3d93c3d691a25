"""A pool that never lends a connection twice whose session can no longer work.

A server that went away, or became read-only after a failover, leaves all its connections behind.
So one that fails makes the pool replace every connection that is as old. It is terminated and not
cancelled, because a cancel request waits for the answer of a network that may be silent.
"""

import asyncio
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Self

import asyncpg

from adapters.persistence.address import connect_arguments
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.errors import translated
from adapters.persistence.hosts import connect_to_first
from domain.secret import Secret

CLOSE_SECONDS = 5.0
# A peer that is gone is found after 5 + 3 * 2 seconds, also on a connection that is idle.
_KEEPALIVE = (
    ("TCP_KEEPIDLE", 5),
    ("TCP_KEEPINTVL", 2),
    ("TCP_KEEPCNT", 3),
    # Milliseconds that sent data may stay without an acknowledgement; Linux alone has it.
    ("TCP_USER_TIMEOUT", 5_000),
)


class TimedConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that knows when it was opened (seconds of the monotonic clock)."""

    __slots__ = ("opened_at",)
    opened_at: float


class ConnectionPool:
    """Lends connections and takes them back; see the module.

    Args:
        pool: asyncpg's, of `TimedConnection`.
        wait: how long `acquire` waits for a connection (seconds).

    """

    def __init__(self, pool: Any, wait: float) -> None:
        self._pool = pool
        self._wait = wait
        self._suspect_until = float("-inf")

    @classmethod
    async def open(
        cls,
        database_url: Secret,
        bulkhead: Bulkhead,
        *,
        min_size: int,
        session: Mapping[str, str] | None = None,
    ) -> Self:
        """Open `min_size` connections now, and further ones when they are needed.

        Args:
            database_url: PostgreSQL's address.
            bulkhead: the limits of the pool.
            min_size: connections that are kept.
            session: settings of each session beside the service's own, for tests.

        Raises:
            StorageUnavailable: PostgreSQL cannot be reached.
            ValueError: the URL is not one of PostgreSQL.

        """
        arguments = connect_arguments(database_url, bulkhead.server_settings)
        if session:
            arguments["server_settings"] = arguments.get("server_settings", {}) | dict(session)
        with translated():
            pool = await asyncpg.create_pool(
                **arguments,
                min_size=min_size,
                max_size=bulkhead.size,
                command_timeout=bulkhead.silence,
                connection_class=TimedConnection,
                connect=partial(connect_to_first, seconds=bulkhead.wait),
                init=_prepare,
                reset=_reset,
            )
        return cls(pool, bulkhead.wait)

    async def acquire(self) -> Any:
        """Lend a connection. Raises asyncpg's errors and TimeoutError."""
        while True:
            connection = await self._pool.acquire(timeout=self._wait)
            if connection.opened_at > self._suspect_until:
                return connection
            await self.terminate(connection)

    async def release(self, connection: Any) -> None:
        """Take a connection back. Raises asyncpg's errors and TimeoutError."""
        await self._pool.release(connection)

    async def terminate(self, connection: Any) -> None:
        """Close a connection without a word to the server."""
        # One that the server closed has left the pool already.
        with suppress(asyncpg.InterfaceError):
            connection.terminate()
        await self._pool.release(connection)

    async def discard(self, connection: Any) -> None:
        """Terminate a connection, and in time each one that was opened before this moment."""
        self._suspect_until = time.monotonic()
        await self.terminate(connection)

    async def close(self) -> None:
        """Close every connection; terminate those that do not end in time."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def _prepare(connection: Any) -> None:
    """Make the kernel notice a silent peer; a Unix socket has none."""
    connection.opened_at = time.monotonic()
    opened = connection._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg has no way
    if opened is None or opened.family not in (socket.AF_INET, socket.AF_INET6):
        return
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _reset(connection: Any) -> None:
    """Make a connection fit for the next unit of work.

    A unit of work leaves nothing behind in its session. So asyncpg's own reset, one more round
    trip, is kept for a transaction that did not end.
    """
    if connection.is_in_transaction():
        await connection.reset()
