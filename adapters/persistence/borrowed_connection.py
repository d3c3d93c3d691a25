"""A connection that is borrowed for one statement, outside of any unit of work.

PostgreSQL runs a statement by itself as a transaction of its own, so BEGIN and ROLLBACK, two more
round trips, would add nothing to a look. The rule not to break: over it nothing is written.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from adapters.persistence.errors import translated

Lend = Callable[[], AbstractAsyncContextManager[Any]]
"""Lends a connection; used as a context manager, at whose end it is given back."""


def lender(acquire: Callable[[], Any], release: Callable[[Any], Awaitable[None]]) -> Lend:
    """Return what lends the connections of a pool, and translates the errors of their use."""

    @asynccontextmanager
    async def lend() -> AsyncIterator[Any]:
        with translated():
            connection = await acquire()
            try:
                yield connection
            finally:
                await release(connection)

    return lend
