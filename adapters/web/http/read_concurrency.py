"""How many reads of the API work at a time.

Reads that work share the event loop with the webhooks, and each of them makes every turn of the
loop longer. Where the loop has time to spare, the database is what reads wait for, and more of
them may work. Where the loop is busy, more reads at a time finish none of them earlier, so fewer
work. This is an adaptive concurrency limit; its signal is the processor time of the loop's thread.

A read that takes long waits for Calendly or for a lock, and costs the loop nothing. So a turn has
a limit, and the read goes on without it.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

MOST: Final = 8
LEAST: Final = 1

WINDOW: Final = 0.05
"""Seconds over which the use of the processor is measured."""

BUSY: Final = 0.75
"""The part of a window beyond which fewer reads work at a time."""

TURN: Final = 0.25
"""Seconds after which a read that still works no longer counts."""

PATIENCE: Final = 2.0
"""Seconds that a read waits for its turn."""


class ReadConcurrency:
    """The turns of one server's reads, in the order in which they came.

    Attributes:
        limit: reads that may work at present.
        working: reads that work.

    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock, self._processor = clock, processor
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._since, self._used = clock(), processor()
        self.limit = MOST
        self.working = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Hold a turn while the body runs, or for `TURN`; False if none came in `PATIENCE`."""
        if not await self._begin():
            yield False
            return
        ended = False

        def end() -> None:
            nonlocal ended
            if not ended:
                ended = True
                self._end()

        limit = asyncio.get_running_loop().call_later(TURN, end)
        try:
            yield True
        finally:
            limit.cancel()
            end()

    async def _begin(self) -> bool:
        self._adapt()
        if self.working < self.limit and not self._waiting:
            self.working += 1
            return True
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            # Unlike a time-out, this does not cancel the future, which `end` may just resolve.
            await asyncio.wait([turn], timeout=PATIENCE)
        except asyncio.CancelledError:
            if turn.done():
                self._end()
            else:
                self._waiting.remove(turn)
            raise
        if not turn.done():
            self._waiting.remove(turn)
        return turn.done()

    def _end(self) -> None:
        """Return a turn, and give it to the read that waits longest."""
        self.working -= 1
        self._adapt()
        while self._waiting and self.working < self.limit:
            self.working += 1
            self._waiting.popleft().set_result(None)

    def _adapt(self) -> None:
        now = self._clock()
        if (passed := now - self._since) < WINDOW:
            return
        used = self._processor()
        busy = (used - self._used) / passed > BUSY
        self._since, self._used = now, used
        self.limit = max(LEAST, self.limit // 2) if busy else min(MOST, self.limit + 1)
