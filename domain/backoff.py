"""Exponential backoff with full jitter, and what the other side asked to wait.

Source of the jitter rule: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
"""

from datetime import timedelta

import msgspec

from domain.errors import SlotkeeperError
from domain.repetition import Repeat, repeat_of


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often and how far apart to repeat.

    Args:
        base: the ceiling of the first delay.
        cap: the ceiling of every delay.
        limit: attempts in all, the first one included.

    """

    base: timedelta = timedelta(milliseconds=200)
    cap: timedelta = timedelta(seconds=5)
    limit: int = 3


def is_worth_repeating(error: SlotkeeperError) -> bool:
    """Whether a retry may succeed later without a person's help."""
    return repeat_of(error) is not Repeat.NEVER


def delay(policy: RetryPolicy, attempt: int, chance: float) -> timedelta:
    """Return how long to wait after a failed attempt.

    Args:
        policy: base and cap.
        attempt: the attempt that failed, counted from 1.
        chance: a random number in [0, 1), which spreads concurrent retries.

    """
    growth: int = 2 ** min(attempt - 1, 30)
    ceiling = min(policy.base * growth, policy.cap)
    return ceiling * chance


def next_delay(
    policy: RetryPolicy, attempt: int, error: SlotkeeperError, chance: float
) -> timedelta | None:
    """Return the wait before the next attempt of the same call, or None when there is to be none.

    A wait that the other side asked for (`retry_after`, seconds) is honoured. A wait beyond the cap
    is not awaited here: the caller passes it on.
    """
    if attempt >= policy.limit or repeat_of(error) is not Repeat.AT_ONCE:
        return None
    jittered = delay(policy, attempt, chance)
    if error.retry_after is None:
        return jittered
    asked = timedelta(seconds=error.retry_after)
    return None if asked > policy.cap else max(asked, jittered)
