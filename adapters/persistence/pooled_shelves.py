"""Looks at the availability cache, on a connection that is borrowed for one statement.

PostgreSQL runs a statement by itself as a transaction of its own, so BEGIN and ROLLBACK, two more
round trips for every reader, would add nothing. The rule not to break: here nothing is written.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from adapters.persistence.errors import translated
from adapters.persistence.repositories import shelves
from application.ports.availability_cache import PartKey, Shelf
from domain.availability import Window
from domain.ids import UserId


class PooledShelves:
    """Implements the Shelves port on a pool."""

    def __init__(
        self, acquire: Callable[[], Any], release: Callable[[Any], Awaitable[None]]
    ) -> None:
        self._acquire = acquire
        self._release = release

    async def look(
        self, user_id: UserId, wanted: Sequence[PartKey], *, occupied_in: Window | None = None
    ) -> Shelf | None:
        """Look everything up in one statement."""
        sought = list(dict.fromkeys(wanted))
        values = shelves.values_of(user_id, sought, occupied_in)
        with translated():
            connection = await self._acquire()
            try:
                row = await connection.fetchrow(shelves.statement(len(sought)), *values)
            finally:
                await self._release(connection)
        return None if row is None else shelves.to_shelf(row)
