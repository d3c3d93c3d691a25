"""Retry storing while the store is down.

For values that cannot be requested again: a token pair that is not stored is a lost grant.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from application.ports.randomness import Randomness
from domain.backoff import delay
from domain.errors import StorageUnavailable
from domain.retries import STORING

T = TypeVar("T")

# Seconds. About as long as a caller waits, and as a request leaves of its lease.
RETRY_SECONDS: Final = 30.0
# A process has ten seconds between the signal to stop and its end.
SHUTDOWN_SECONDS: Final = 5.0
# A store that hangs counts as down; the next attempt sees the effect of this one.
LONGEST_ATTEMPT: Final = 10.0


class RetryBudget:
    """How long to go on, counted from the first attempt that failed.

    Args:
        seconds: None means as long as the process lives, until it is shortened.

    Attributes:
        exhausted: set after attempts have failed for RETRY_SECONDS.
        tried: whether any attempt failed.

    """

    def __init__(self, seconds: float | None = RETRY_SECONDS) -> None:
        self.exhausted = asyncio.Event()
        self.tried = False
        self._seconds = seconds
        self._since = 0.0
        self._attempts = 0
        self._shortened = asyncio.Event()

    def shorten(self) -> None:
        """Retry for SHUTDOWN_SECONDS more: this process is about to end."""
        left = _now() + SHUTDOWN_SECONDS - (self._since if self.tried else _now())
        self._seconds = left if self._seconds is None else min(self._seconds, left)
        self._shortened.set()

    def failed(self) -> bool:
        """Record a failed attempt; return whether to retry. Sets `exhausted` after RETRY_SECONDS."""
        self._since = self._since if self.tried else _now()
        self.tried = True
        self._attempts += 1
        gone = _now() - self._since
        if gone >= RETRY_SECONDS:
            self.exhausted.set()
        return self._seconds is None or gone < self._seconds

    async def pause(self, chance: float) -> None:
        """Wait before the next attempt, less once it is shortened."""
        pause = delay(STORING, self._attempts, chance).total_seconds()
        if self._shortened.is_set():
            await asyncio.sleep(min(pause, 1.0))
            return
        try:
            async with asyncio.timeout(pause):
                await self._shortened.wait()
        except TimeoutError:
            return


async def retry_until_stored(
    store: Callable[[], Awaitable[T]], *, randomness: Randomness, budget: RetryBudget
) -> T:
    """Return what `store` returns once it succeeds.

    Raises:
        StorageUnavailable: the store was down for longer than the budget.

    """
    while True:
        try:
            async with asyncio.timeout(LONGEST_ATTEMPT):
                return await store()
        except (StorageUnavailable, TimeoutError) as error:
            if not budget.failed():
                raise StorageUnavailable("PostgreSQL was down for too long.") from error
        await budget.pause(randomness.fraction())


def _now() -> float:
    return asyncio.get_running_loop().time()
