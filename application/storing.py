"""Store something again and again while the store is away.

For what cannot be asked for a second time: a token pair that is not stored is a grant lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from application.ports.entropy import Entropy
from domain.backoff import RetryPolicy, delay
from domain.errors import StorageUnavailable

T = TypeVar("T")

PAUSES: Final = RetryPolicy(base=timedelta(milliseconds=200), cap=timedelta(seconds=5))
# Some half a minute: about as long as a caller waits, and as a request leaves of its lease.
A_WHILE: Final = 12
# A process that is told to stop does not wait much longer.
HURRIED: Final = 6


class Patience:
    """How long to go on.

    Args:
        attempts: how many at most; None means for as long as the process lives, unless hurried.

    """

    def __init__(self, attempts: int | None = A_WHILE) -> None:
        self.worn = asyncio.Event()
        self._left = attempts
        self._made = 0
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Make only a few more attempts: somebody waits for this process to end."""
        self._left = HURRIED if self._left is None else min(self._left, HURRIED)
        self._hurried.set()

    def failed(self) -> bool:
        """Count a failed attempt; return whether another one is due. Sets `worn` after a while."""
        self._made += 1
        if self._left is not None:
            self._left -= 1
        if self._made >= A_WHILE:
            self.worn.set()
        return self._left is None or self._left > 0

    async def pause(self, chance: float) -> None:
        """Wait before the next attempt, shorter once hurried."""
        pause = delay(PAUSES, self._made, chance).total_seconds()
        if self._hurried.is_set():
            await asyncio.sleep(min(pause, 1.0))
            return
        try:
            async with asyncio.timeout(pause):
                await self._hurried.wait()
        except TimeoutError:
            return


async def until_stored(
    store: Callable[[], Awaitable[T]], *, entropy: Entropy, patience: Patience
) -> T:
    """Return what `store` returns once it succeeds.

    Raises:
        StorageUnavailable: the store stayed away for longer than the patience lasts.

    """
    while True:
        try:
            return await store()
        except StorageUnavailable:
            if not patience.failed():
                raise
        await patience.pause(entropy.chance())
