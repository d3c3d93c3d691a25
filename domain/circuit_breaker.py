"""A circuit breaker as a pure value: (breaker, event, now) -> breaker.

Closed lets calls through; open refuses them; after the reset time it is half-open and lets one
probe out, whose result closes it or opens it again for longer.
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
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerPolicy(msgspec.Struct, frozen=True):
    """When a breaker opens and for how long.

    Args:
        threshold: consecutive failures that open it.
        reset: how long it stays open the first time; doubled with each failed probe.
        longest: the ceiling of that growth, unless `reset` itself is longer.

    """

    threshold: int = 5
    reset: timedelta = timedelta(seconds=60)
    longest: timedelta = timedelta(minutes=15)


class Breaker(msgspec.Struct, frozen=True):
    """One breaker's state.

    Args:
        state: as stored; use `seen_at` for what it means at a moment.
        failures: consecutive failures.
        opened_at: when it last opened (UTC).
        trips: consecutive times it opened without a success between.
        probe_until: until when a half-open probe has its turn (UTC).

    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: datetime | None = None
    trips: int = 0
    probe_until: datetime | None = None


CLOSED = Breaker()
PROBE_TURN = timedelta(seconds=60)


def is_outage(error: SlotkeeperError) -> bool:
    """Whether an error speaks against the other side's health: a refusal does not."""
    return isinstance(error, CalendlyUnavailable | CalendlyUncertain | CalendlyProtocolError)


def is_answer(error: SlotkeeperError) -> bool:
    """Whether an error proves that the other side answered, as it does when it is well.

    Our own rate budget raises CalendlyThrottled and a malformed address CalendlyNotFound before
    anything is sent: like an error that is not Calendly's, they prove nothing either way.
    """
    if is_outage(error) or isinstance(error, CalendlyThrottled | CalendlyNotFound):
        return False
    return isinstance(error, CalendlyError)


def open_for(breaker: Breaker, policy: BreakerPolicy) -> timedelta:
    """How long this breaker stays open, counted from `opened_at`."""
    growth: int = 2 ** min(max(breaker.trips - 1, 0), 16)
    return min(policy.reset * growth, max(policy.longest, policy.reset))


def wait(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> timedelta | None:
    """Return how long a caller must wait, or None when a call (or a probe) may go out."""
    if breaker.state is BreakerState.CLOSED or breaker.opened_at is None:
        return None
    left = breaker.opened_at + open_for(breaker, policy) - now
    if left > timedelta():
        return left
    if breaker.probe_until is not None and breaker.probe_until > now:
        return breaker.probe_until - now
    return None


def admit(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> Breaker | None:
    """Return the breaker with a call admitted, or None when it is refused.

    From a breaker whose reset time is over the first caller gets the probe's turn; who comes
    while the probe is out is refused. A probe that never reports loses its turn after
    PROBE_TURN, so that a crash cannot keep a breaker half-open for ever.
    """
    if wait(breaker, now, policy) is not None:
        return None
    if breaker.state is BreakerState.CLOSED:
        return breaker
    return msgspec.structs.replace(
        breaker, state=BreakerState.HALF_OPEN, probe_until=now + PROBE_TURN
    )


def succeeded(breaker: Breaker) -> Breaker:
    """A call went through: everything is forgotten, unless the breaker is open.

    Nothing goes out while it is open, so the call left before it opened and says nothing new.
    """
    return breaker if breaker.state is BreakerState.OPEN else CLOSED


def given_back(breaker: Breaker, admitted: Breaker) -> Breaker:
    """A call ended and proved nothing: if it was the probe, the next caller has its turn.

    Args:
        breaker: as it stands.
        admitted: as `admit` returned it for that call.

    """
    probe = admitted.probe_until if admitted.state is BreakerState.HALF_OPEN else None
    if probe is None or breaker.probe_until != probe:
        return breaker
    return msgspec.structs.replace(breaker, probe_until=None)


def failed(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> Breaker:
    """A call failed for a passing reason: count it, open at the threshold or after a probe."""
    failures = breaker.failures + 1
    if breaker.state is BreakerState.CLOSED and failures < policy.threshold:
        return msgspec.structs.replace(breaker, failures=failures)
    if breaker.state is BreakerState.OPEN:
        # A call that left before the breaker opened says nothing new.
        return msgspec.structs.replace(breaker, failures=failures)
    return Breaker(
        state=BreakerState.OPEN, failures=failures, opened_at=now, trips=breaker.trips + 1
    )


def seen_at(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> BreakerState:
    """The state to show at a moment: an open breaker whose reset time is over is half-open."""
    if breaker.state is BreakerState.OPEN and wait(breaker, now, policy) is None:
        return BreakerState.HALF_OPEN
    return breaker.state
