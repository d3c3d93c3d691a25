"""How long a user, and a part that failed, rest after a refresh."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from domain.cache_policy import CachePolicy
from domain.errors import Kind, SlotkeeperError

RETRY_AFTER = timedelta(minutes=2)
# Nobody tells when a person mends at Calendly what was refused; whoever reads may find out.
LONGEST = timedelta(hours=1)
SPREAD = 0.1  # of a pause, so that those who failed together do not come back together
PASSING = frozenset({Kind.TRANSIENT, Kind.THROTTLED})


def passes(code: str | None) -> bool:
    """Whether an error code stands for a failure that passes by itself."""
    return code in _passing_codes()


@cache
def _passing_codes() -> frozenset[str]:
    found: set[str] = set()
    roots: list[type[SlotkeeperError]] = [SlotkeeperError]
    while roots:
        each = roots.pop()
        roots += each.__subclasses__()
        if each.kind in PASSING:
            found.add(each.code)
    return frozenset(found)


class RetryTimes(NamedTuple):
    """Moments before which nothing is asked again (UTC).

    Args:
        passing: for parts that failed for a reason that passes.
        lasting: for parts that were refused for good.
        due_at: when the user is due again, unless something has to be kept from expiring before.

    """

    passing: datetime
    lasting: datetime
    due_at: datetime

    def of(self, error: SlotkeeperError) -> datetime:
        """Return when a part that failed so may be asked for again."""
        return self.passing if error.kind in PASSING else self.lasting


def retry_times_after(
    errors: Sequence[SlotkeeperError], now: datetime, policy: CachePolicy, chance: float
) -> RetryTimes:
    """Return how to rest after a refresh.

    Args:
        errors: why parts did not come.
        now: when it ended (UTC).
        policy: the ages of parts.
        chance: a random number in [0, 1).

    """
    passing = [each for each in errors if each.kind in PASSING]
    # Never shorter than what Calendly asked for.
    asked = max((each.retry_after or 0 for each in passing), default=0)
    again = now + max(RETRY_AFTER, timedelta(seconds=asked)) * (1 + SPREAD * chance)
    early = 1 - policy.jitter * chance
    # Not after the soft limit: what has turned stale should be due for its readers.
    usual = now + policy.soft_ttl * early
    lasting = now + min(policy.soft_ttl, LONGEST) * early
    return RetryTimes(again, lasting, min(again, usual) if passing else usual)
