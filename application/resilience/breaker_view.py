"""A breaker as people see it: where it stands at a moment, and until when."""

from datetime import datetime

import msgspec

from domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState, seen_at, wait


class BreakerView(msgspec.Struct, frozen=True):
    """Where a breaker stands.

    Args:
        state: as it is now: an open one whose reset time is over is half-open.
        failures: consecutive failures.
        retry_at: when a call or a probe may go out (UTC); None when one may now.
        opened_at: when it opened (UTC); None while it is closed.

    """

    state: BreakerState
    failures: int
    retry_at: datetime | None
    opened_at: datetime | None = None


def view_of(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> BreakerView:
    """Return what to show of a breaker at a moment (UTC)."""
    left = wait(breaker, now, policy)
    return BreakerView(
        state=seen_at(breaker, now, policy),
        failures=breaker.failures,
        retry_at=None if left is None else now + left,
        opened_at=breaker.opened_at,
    )
