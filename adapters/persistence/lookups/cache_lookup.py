"""Reads of the availability cache, on a connection that is borrowed for one statement.

The rule not to break: nothing is written here; see `adapters.persistence.borrowed_connection`.
"""

from collections.abc import Sequence

from adapters.persistence.borrowed_connection import Lend
from adapters.persistence.repositories import cache_snapshots
from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from domain.availability import Window
from domain.ids import UserId


class PooledCacheLookup:
    """Implements the CacheLookup port on a pool."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def read(
        self, user_id: UserId, wanted: Sequence[CacheKey], *, occupied_in: Window | None = None
    ) -> CacheSnapshot | None:
        keys = list(dict.fromkeys(wanted))
        values = cache_snapshots.values_of(user_id, keys, occupied_in)
        async with self._lend() as connection:
            row = await connection.fetchrow(cache_snapshots.statement(len(keys)), *values)
        return None if row is None else cache_snapshots.to_snapshot(row)
