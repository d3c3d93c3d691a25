"""The cache entries that callers read, collected in memory and written in batches.

The sync keeps warm the entries that callers read. The rule not to break: a mark never delays a
read. A mark that is lost with the process costs one refresh at most, which the next read causes.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Final

from application.ports.background import Background
from application.ports.storage.availability_cache import CacheEntry, CacheKey
from application.ports.storage.unit_of_work import Storage
from application.resilience.delayed_write import DelayedWrite
from domain.ids import UserId

EVERY: Final = 10.0  # seconds from the first mark to the writing of all
MAX_PENDING: Final = 10_000  # marks in memory; more are dropped
MAX_BATCH: Final = 200  # marks a statement, which locks its users' rows for milliseconds


class UsageTracker:
    """Collects marks, and writes them in as few statements as possible."""

    def __init__(self, *, storage: Storage, background: Background) -> None:
        self._storage = storage
        self._background = background
        self._usage: dict[tuple[UserId, CacheKey], datetime] = {}
        self._delayed = DelayedWrite(self._write_in_background, every=EVERY)

    def note(self, user_id: UserId, reads: Iterable[CacheKey], now: datetime) -> None:
        """Mark entries as read at that time (UTC); ignored after `close`."""
        if self._delayed.closed:
            return
        for key in reads:
            if len(self._usage) < MAX_PENDING or (user_id, key) in self._usage:
                self._usage[user_id, key] = max(now, self._usage.get((user_id, key), now))
        if self._usage:
            self._delayed.schedule()

    def record(self, user_id: UserId, entries: Iterable[CacheEntry], now: datetime) -> None:
        """Mark the entries for which a read now (UTC) is a new one; see `is_new_read`."""
        self.note(user_id, [each.cache_key for each in entries if each.is_new_read(now)], now)

    async def write(self) -> None:
        """Write the collected marks. Raises StorageUnavailable, and the marks are lost."""
        usage, self._usage = self._usage, {}
        left = iter(usage.items())
        while batch := dict(islice(left, MAX_BATCH)):
            async with self._storage() as uow:
                await uow.availability.mark_read(batch)
                await uow.commit()

    async def close(self) -> None:
        """Write the last marks, and start no further timer. Raises as `write`."""
        self._delayed.close()
        await self.write()

    def __len__(self) -> int:
        """Return the number of collected marks."""
        return len(self._usage)

    def _write_in_background(self) -> None:
        if self._usage:
            self._background.run("mark_reads", self.write())
