"""A connection that is borrowed for one statement, outside any unit of work.

PostgreSQL runs a single statement in its own transaction. So BEGIN and ROLLBACK, two more round
trips, would add nothing to a read. The rule not to break: nothing is written over it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from adapters.persistence.errors import translated

Lend = Callable[[], AbstractAsyncContextManager[Any]]
"""Lends a connection; a context manager that returns it to the pool at the end."""


def lender(acquire: Callable[[], Any], release: Callable[[Any], Awaitable[None]]) -> Lend:
    """Return a function that lends a pool's connections and translates their errors."""

    @asynccontextmanager
    async def lend() -> AsyncIterator[Any]:
        with translated():
            connection = await acquire()
            try:
                yield connection
            finally:
                await release(connection)

    return lend
