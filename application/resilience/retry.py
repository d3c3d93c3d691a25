"""Store something again and again while the store is away.

For what cannot be asked for a second time: a token pair that is not stored is a grant lost.
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
# A process that is told to stop has been given ten.
SHUTDOWN_SECONDS: Final = 5.0
# A store that hangs is as good as away; what it did of the attempt shows at the next one.
LONGEST_ATTEMPT: Final = 10.0


class RetryBudget:
    """How long to go on, counted from the first attempt that failed.

    Args:
        seconds: None means for as long as the process lives, unless hurried.

    Attributes:
        worn: set once attempts have failed for a while.
        tried: whether any attempt failed.

    """

    def __init__(self, seconds: float | None = RETRY_SECONDS) -> None:
        self.exhausted = asyncio.Event()
        self.tried = False
        self._seconds = seconds
        self._since = 0.0
        self._made = 0
        self._hurried = asyncio.Event()

    def shorten(self) -> None:
        """Go on for a few seconds only: somebody waits for this process to end."""
        left = _now() + SHUTDOWN_SECONDS - (self._since if self.tried else _now())
        self._seconds = left if self._seconds is None else min(self._seconds, left)
        self._hurried.set()

    def failed(self) -> bool:
        """Note a failed attempt; return whether another one is due. Sets `worn` after a while."""
        self._since = self._since if self.tried else _now()
        self.tried = True
        self._made += 1
        gone = _now() - self._since
        if gone >= RETRY_SECONDS:
            self.exhausted.set()
        return self._seconds is None or gone < self._seconds

    async def pause(self, chance: float) -> None:
        """Wait before the next attempt, shorter once hurried."""
        pause = delay(STORING, self._made, chance).total_seconds()
        if self._hurried.is_set():
            await asyncio.sleep(min(pause, 1.0))
            return
        try:
            async with asyncio.timeout(pause):
                await self._hurried.wait()
        except TimeoutError:
            return


async def retry_until_stored(
    store: Callable[[], Awaitable[T]], *, randomness: Randomness, budget: RetryBudget
) -> T:
    """Return what `store` returns once it succeeds.

    Raises:
        StorageUnavailable: the store stayed away for longer than the patience lasts.

    """
    while True:
        try:
            async with asyncio.timeout(LONGEST_ATTEMPT):
                return await store()
        except (StorageUnavailable, TimeoutError) as error:
            if not budget.failed():
                raise StorageUnavailable("PostgreSQL stayed away for too long.") from error
        await budget.pause(randomness.fraction())


def _now() -> float:
    return asyncio.get_running_loop().time()
