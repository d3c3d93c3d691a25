"""When a user, and an entry that failed, are fetched again after a refresh."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from domain.cache_policy import CachePolicy
from domain.errors import Kind, SlotkeeperError

RETRY_AFTER = timedelta(minutes=2)
# Calendly sends no webhook when a person fixes a permanent failure there; a retry finds out.
LONGEST = timedelta(hours=1)
SPREAD = 0.1  # of a backoff, so that users that failed together do not retry together
TEMPORARY = frozenset({Kind.TRANSIENT, Kind.THROTTLED})


def is_temporary(code: str | None) -> bool:
    """Whether an error code names a failure that ends by itself."""
    return code in _temporary_codes()


@cache
def _temporary_codes() -> frozenset[str]:
    codes: set[str] = set()
    roots: list[type[SlotkeeperError]] = [SlotkeeperError]
    while roots:
        each = roots.pop()
        roots += each.__subclasses__()
        if each.kind in TEMPORARY:
            codes.add(each.code)
    return frozenset(codes)


class RetryTimes(NamedTuple):
    """The times of the next fetches (UTC).

    Args:
        temporary: for entries that failed for a temporary reason.
        permanent: for entries that were refused permanently.
        due_at: for the user, unless an entry has to be kept from expiring earlier.

    """

    temporary: datetime
    permanent: datetime
    due_at: datetime

    def of(self, error: SlotkeeperError) -> datetime:
        """Return when an entry with this failure may be fetched again."""
        return self.temporary if error.kind in TEMPORARY else self.permanent


def retry_times_after(
    errors: Sequence[SlotkeeperError], now: datetime, policy: CachePolicy, fraction: float
) -> RetryTimes:
    """Return the times of the next fetches after a refresh.

    Args:
        errors: why entries could not be fetched.
        now: when the refresh ended (UTC).
        policy: the deadlines of entries.
        fraction: a random number in [0, 1).

    """
    temporary = [each for each in errors if each.kind in TEMPORARY]
    # Never shorter than Calendly's own Retry-After.
    asked = max((each.retry_after or 0 for each in temporary), default=0)
    retry_at = now + max(RETRY_AFTER, timedelta(seconds=asked)) * (1 + SPREAD * fraction)
    early = 1 - policy.jitter * fraction
    # Not after the soft TTL: a stale entry should be due for its readers.
    usual = now + policy.soft_ttl * early
    permanent = now + min(policy.soft_ttl, LONGEST) * early
    return RetryTimes(retry_at, permanent, min(retry_at, usual) if temporary else usual)
