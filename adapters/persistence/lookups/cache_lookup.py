"""Looks at the availability cache, on a connection that is lent for one statement.

The rule not to break: here nothing is written; see `adapters.persistence.borrowed_connection`.
"""

from collections.abc import Sequence

from adapters.persistence.borrowed_connection import Lend
from adapters.persistence.repositories import cache_snapshots as cache_lookup
from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from domain.availability import Window
from domain.ids import UserId


class PooledCacheLookup:
    """Implements the Shelves port on a pool."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def read(
        self, user_id: UserId, wanted: Sequence[CacheKey], *, occupied_in: Window | None = None
    ) -> CacheSnapshot | None:
        """Look everything up in one statement."""
        sought = list(dict.fromkeys(wanted))
        values = cache_lookup.values_of(user_id, sought, occupied_in)
        async with self._lend() as connection:
            row = await connection.fetchrow(cache_lookup.statement(len(sought)), *values)
        return None if row is None else cache_lookup.to_shelf(row)
