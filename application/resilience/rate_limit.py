"""Spread the starts of many equal tasks, so that they do not all run in one moment."""

import asyncio

from application.ports.randomness import Randomness


class RateLimiter:
    """Lets one caller through at a time, so many a second at most, unevenly on purpose.

    Tokens that are refreshed together expire together: without jitter a mass import would be
    refreshed in the same second forever.

    Args:
        per_second: how many on average; 0 means as fast as they come.
        randomness: the unevenness.

    """

    def __init__(self, per_second: float, randomness: Randomness) -> None:
        self._gap = 1.0 / per_second if per_second > 0 else 0.0
        self._randomness = randomness
        self._next = 0.0

    async def acquire(self) -> None:
        if self._gap == 0.0:
            return
        now = asyncio.get_running_loop().time()
        starts = max(self._next, now)
        self._next = starts + self._gap * (0.5 + self._randomness.fraction())
        await asyncio.sleep(starts - now)
