"""A circuit breaker as a pure value: (breaker, event, now) -> breaker.

Closed lets calls through. Failures in a row within a rolling window open it; open refuses calls.
After the reset time it is half-open and lets one probe out, whose result closes it or opens it
again for longer. When it ends is settled, jitter included, at the moment it opens, so that all
who share it agree. Source of the states: M. Nygard, "Release It!", Circuit Breaker.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from domain.errors import (
    CalendlyError,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    SlotkeeperError,
)


class BreakerState(StrEnum):
    """A breaker's state."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerPolicy(msgspec.Struct, frozen=True):
    """When a breaker opens and for how long.

    Args:
        threshold: failures in a row, all within `window`, that open it.
        reset: how long it stays open the first time; doubled with each failed probe.
        longest: the ceiling of that growth, unless `reset` itself is longer. Up to a fifth is
            added by chance, to either.
        window: failures that are older than this do not count towards the threshold.

    """

    threshold: int = 5
    reset: timedelta = timedelta(seconds=60)
    longest: timedelta = timedelta(minutes=5)
    window: timedelta = timedelta(minutes=2)


class Breaker(msgspec.Struct, frozen=True):
    """One breaker's state.

    Args:
        state: as stored; use `seen_at` for what it means at a moment.
        failures: consecutive failures, of any age.
        opened_at: when it last opened (UTC).
        trips: consecutive times it opened without a success between.
        probe_until: when a half-open probe that has not reported counts as lost (UTC).
        failed_at: when the latest failures were (UTC), oldest first: those within the window,
            and no more than the threshold.
        open_until: when it lets a probe out (UTC), settled as it opened.

    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: datetime | None = None
    trips: int = 0
    probe_until: datetime | None = None
    failed_at: tuple[datetime, ...] = ()
    open_until: datetime | None = None


CLOSED = Breaker()
PROBE_TIMEOUT = timedelta(seconds=60)
# The share that jitter adds at most: breakers that opened together do not all probe together.
JITTER = 0.2


def is_outage(error: SlotkeeperError) -> bool:
    """Whether an error speaks against the other side's health: a refusal does not.

    Nor does a success whose body cannot be read: it is one account's odd record, mostly.
    """
    if isinstance(error, CalendlyError) and error.unreadable:
        return False
    return isinstance(error, CalendlyUnavailable | CalendlyUncertain | CalendlyProtocolError)


def is_answer(error: SlotkeeperError) -> bool:
    """Whether an error proves that the other side answered, as it does when it is well.

    Our own rate budget raises CalendlyThrottled and a malformed address CalendlyNotFound before
    anything is sent. Like an error that is not Calendly's, they prove nothing either way.
    A success that cannot be read proves nothing either: a page of another program may be in the
    way.
    """
    if is_outage(error) or isinstance(error, CalendlyThrottled | CalendlyNotFound):
        return False
    return isinstance(error, CalendlyError) and not error.unreadable


def open_for(breaker: Breaker, policy: BreakerPolicy, chance: float = 0.0) -> timedelta:
    """How long a breaker that tripped `breaker.trips` times stays open.

    Args:
        breaker: as it is once it has opened.
        policy: reset time and ceiling.
        chance: a random number in [0, 1).

    """
    growth: int = 2 ** min(max(breaker.trips - 1, 0), 16)
    return min(policy.reset * growth, max(policy.longest, policy.reset)) * (1 + JITTER * chance)


def wait(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> timedelta | None:
    """Return how long a caller must wait, or None when a call (or a probe) may go out."""
    if breaker.state is BreakerState.CLOSED or breaker.opened_at is None:
        return None
    # A row of an earlier version does not say when it ends.
    end = breaker.open_until or breaker.opened_at + open_for(breaker, policy)
    if end > now:
        return end - now
    if breaker.probe_until is not None and breaker.probe_until > now:
        return breaker.probe_until - now
    return None


def admit(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> Breaker | None:
    """Return the breaker with a call admitted, or None when it is refused.

    After the reset time the first caller takes the probe, and callers are refused while it is
    out. A probe that never reports counts as lost after PROBE_TIMEOUT, so that a crash cannot keep
    a breaker half-open forever.
    """
    if wait(breaker, now, policy) is not None:
        return None
    if breaker.state is BreakerState.CLOSED:
        return breaker
    return msgspec.structs.replace(
        breaker, state=BreakerState.HALF_OPEN, probe_until=now + PROBE_TIMEOUT
    )


def succeeded(breaker: Breaker) -> Breaker:
    """A call went through: everything is forgotten, unless the breaker is open.

    Nothing goes out while it is open, so the call left before it opened and says nothing new.
    """
    return breaker if breaker.state is BreakerState.OPEN else CLOSED


def release_probe(breaker: Breaker, admitted: Breaker) -> Breaker:
    """A call ended and proved nothing: if it was the probe, the next caller may take it.

    Args:
        breaker: the current state.
        admitted: as `admit` returned it for that call.

    """
    probe = admitted.probe_until if admitted.state is BreakerState.HALF_OPEN else None
    if probe is None or breaker.probe_until != probe:
        return breaker
    return msgspec.structs.replace(breaker, probe_until=None)


def is_late(breaker: Breaker, admitted: Breaker) -> bool:
    """Whether a call left before the breaker last opened: its end says nothing new.

    Args:
        breaker: the current state.
        admitted: as `admit` returned it for that call.

    """
    return admitted.trips < breaker.trips


def failed(breaker: Breaker, now: datetime, policy: BreakerPolicy, chance: float = 0.0) -> Breaker:
    """A call failed for a passing reason: count it, open at the threshold or after a probe.

    Args:
        breaker: the current state.
        now: when the failure was noticed (UTC).
        policy: threshold, window and times.
        chance: a random number in [0, 1), for how long it opens.

    """
    failures = breaker.failures + 1
    if breaker.state is BreakerState.OPEN:
        # A call that left before the breaker opened says nothing new.
        return msgspec.structs.replace(breaker, failures=failures)
    failed_at = _within(breaker.failed_at, now, policy)
    if breaker.state is BreakerState.CLOSED and len(failed_at) < policy.threshold:
        return msgspec.structs.replace(breaker, failures=failures, failed_at=failed_at)
    opened = Breaker(
        state=BreakerState.OPEN,
        failures=failures,
        opened_at=now,
        trips=breaker.trips + 1,
        failed_at=failed_at,
    )
    return msgspec.structs.replace(opened, open_until=now + open_for(opened, policy, chance))


def _within(
    earlier: tuple[datetime, ...], now: datetime, policy: BreakerPolicy
) -> tuple[datetime, ...]:
    """Return the failures that count at a moment, the one that was just noticed among them."""
    # Sorted, as the clocks of those who share a breaker differ a little.
    recent = sorted([*(at for at in earlier if now - at < policy.window), now])
    return tuple(recent[-policy.threshold :])


def seen_at(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> BreakerState:
    """The state to show at a moment: an open breaker whose reset time is over is half-open."""
    if breaker.state is BreakerState.OPEN and wait(breaker, now, policy) is None:
        return BreakerState.HALF_OPEN
    return breaker.state


class BreakerView(msgspec.Struct, frozen=True):
    """A breaker as operators see it.

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
