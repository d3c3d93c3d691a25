"""Which parts of the cache are read, gathered in memory and written now and then.

The sync keeps warm what is read. The rule not to break: a mark is never in a reader's way; one
that is lost with the process costs a refill too few, which the next reader makes up for.
"""

import asyncio
from collections.abc import Iterable
from contextvars import Context
from datetime import datetime
from itertools import islice
from typing import Final

from application.ports.background import Background
from application.ports.storage.availability_cache import CacheEntry, CacheKey
from application.ports.storage.unit_of_work import Storage
from domain.ids import UserId

EVERY: Final = 10.0  # seconds from the first mark to the writing of all
MAX_PENDING: Final = 10_000  # marks in memory; more are let go
MAX_CONCURRENT: Final = 200  # in one statement, which holds its users' rows for milliseconds then


class UsageTracker:
    """Gathers marks; they are written together, in as few statements as that takes."""

    def __init__(self, *, storage: Storage, background: Background) -> None:
        self._storage = storage
        self._background = background
        self._usage: dict[tuple[UserId, CacheKey], datetime] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def note(self, user_id: UserId, reads: Iterable[CacheKey], now: datetime) -> None:
        """Mark parts as read at that time (UTC); after closing nothing is marked any more."""
        if self._closed:
            return
        for at in reads:
            if len(self._usage) < MAX_PENDING or (user_id, at) in self._usage:
                self._usage[user_id, at] = max(now, self._usage.get((user_id, at), now))
        if self._usage and self._timer is None:
            # No task that sleeps: closing would wait for it. An own context, as the timer
            # outlives the request.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(EVERY, self._write_behind, context=Context())

    def record(self, user_id: UserId, parts: Iterable[CacheEntry], now: datetime) -> None:
        """Mark those of the parts of which a reading now (UTC) says something new."""
        self.note(user_id, [part.at for part in parts if part.is_news(now)], now)

    async def write(self) -> None:
        """Write what was gathered. Raises StorageUnavailable, and the marks are lost."""
        usage, self._usage = self._usage, {}
        left = iter(usage.items())
        while some := dict(islice(left, MAX_CONCURRENT)):
            async with self._storage() as uow:
                await uow.availability.mark_read(some)
                await uow.commit()

    async def close(self) -> None:
        """Write what was gathered last, and plan nothing more. Raises as `write`."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self.write()

    def __len__(self) -> int:
        """Return how many are gathered."""
        return len(self._usage)

    def _write_behind(self) -> None:
        self._timer = None
        if self._usage:
            self._background.run("mark_reads", self.write())
