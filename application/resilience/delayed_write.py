"""A write of what was collected in memory, some time after the first of it.

The rule not to break: a caller that collects never waits for the store.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Final


class DelayedWrite:
    """The timer of one collection.

    Args:
        write: begins the write; it must not wait.
        every: seconds from the first `schedule` to the write of all.

    """

    def __init__(self, write: Callable[[], None], *, every: float) -> None:
        self._write: Final = write
        self._every: Final = every
        self._timer: asyncio.TimerHandle | None = None
        self.closed = False

    def schedule(self) -> None:
        """Let the write come, unless it does already; ignored after `close`."""
        if self.closed or self._timer is not None:
            return
        # Not a sleeping task: the end of the process would wait for it. The timer has its own
        # context, because it outlives the request.
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._every, self._fire, context=Context())

    def close(self) -> None:
        """Let no further write come."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self) -> None:
        self._timer = None
        self._write()
