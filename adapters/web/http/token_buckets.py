"""Token buckets in memory, one for each key, as the generic cell rate algorithm (ITU-T I.371).

A bucket is one number: the time at which it will be full again. Taking a token moves that time by
one interval. No bucket has a timer, and a full bucket needs no memory.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

MOST_BUCKETS: Final = 50_000
"""Buckets in memory. A caller with more addresses than this makes the oldest ones full again."""

_ROUNDING: Final = 1e-6  # seconds by which sums of intervals may differ


class TokenBuckets:
    """Buckets of one size.

    Args:
        rate: tokens a second that flow into a bucket; 0 means no limit.
        burst: tokens in a full bucket.
        most: buckets that are kept.
        clock: a monotonic clock, in seconds.

    """

    def __init__(
        self,
        rate: float,
        burst: float,
        *,
        most: int = MOST_BUCKETS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rate, self.burst = rate, burst
        self._interval = 1 / rate if rate else 0.0
        self._depth = self._interval * burst
        self._most, self._clock = most, clock
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, key: Hashable) -> float:
        """Return the seconds until the bucket has a token; 0 if it has one."""
        full_at = self._full_at.get(key)
        if full_at is None:
            return 0.0
        wait = full_at + self._interval - self._depth - self._clock()
        return wait if wait > _ROUNDING else 0.0

    def take(self, key: Hashable) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        if not self._interval:
            return 0.0
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._interval
        if (wait := full_at - self._depth - now) > _ROUNDING:
            return wait
        self._full_at[key] = full_at
        if len(self._full_at) > self._most:
            self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full, or else the oldest tenth."""
        full = [key for key, full_at in self._full_at.items() if full_at <= now]
        for key in full:
            del self._full_at[key]
        if len(self._full_at) > self._most - self._most // 10:
            for _ in range(self._most // 10):
                self._full_at.popitem(last=False)
