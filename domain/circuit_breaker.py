"""A circuit breaker as a pure value: (breaker, event, now) -> breaker.

Closed lets calls through. Failures in a row within a rolling window open it; open refuses calls.
After the reset time it is half-open and lets one probe out, whose result closes it or opens it
again for longer. When it ends is settled, jitter included, at the moment it opens, so that all
who share it agree. Source of the states: M. Nygard, "Release It!", Circuit Breaker.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter

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
        failed_by: whose call each of `failed_at` was; empty texts for calls of no account.

    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    opened_at: datetime | None = None
    trips: int = 0
    probe_until: datetime | None = None
    failed_at: tuple[datetime, ...] = ()
    open_until: datetime | None = None
    failed_by: tuple[str, ...] = ()

    @property
    def opener(self) -> str:
        """The account whose failure opened it; empty while it is closed, or if it is unknown."""
        is_closed = self.state is BreakerState.CLOSED
        return "" if is_closed or not self.failed_by else self.failed_by[-1]


CLOSED = Breaker()
PROBE_TIMEOUT = timedelta(seconds=60)
# The share that jitter adds at most: breakers that opened together do not all probe together.
JITTER = 0.2
# Failures of one account that count at a time while others are answered: with the usual threshold
# of five, at least three accounts fail before calls of all others are refused.
MOST_OF_ONE_ACCOUNT = 2
# How much longer the account that opened a breaker waits: another one takes the probe.
OPENER_WAITS = timedelta(seconds=15)


def is_outage(error: SlotkeeperError) -> bool:
    """Whether an error speaks against the other side's health: a refusal does not.

    Nor does a read whose body cannot be read: it is one account's odd record, mostly. An unreadable
    answer to a request with effects is evidence: each further one leaves a token in doubt.
    """
    if isinstance(error, CalendlyUncertain):
        return True
    is_unreadable = isinstance(error, CalendlyError) and error.unreadable
    return not is_unreadable and isinstance(error, CalendlyUnavailable | CalendlyProtocolError)


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


def wait(
    breaker: Breaker, now: datetime, policy: BreakerPolicy, subject: str = ""
) -> timedelta | None:
    """Return how long a caller must wait, or None when a call (or a probe) may go out.

    Args:
        breaker: the current state.
        now: the time (UTC).
        policy: reset time and ceiling.
        subject: the account that calls; the one that opened the breaker waits longer.

    """
    if breaker.state is BreakerState.CLOSED or breaker.opened_at is None:
        return None
    # A row of an earlier version does not say when it ends.
    end = breaker.open_until or breaker.opened_at + open_for(breaker, policy)
    if subject and subject == breaker.opener:
        end += OPENER_WAITS
    if end > now:
        return end - now
    if breaker.probe_until is not None and breaker.probe_until > now:
        return breaker.probe_until - now
    return None


def admit(
    breaker: Breaker, now: datetime, policy: BreakerPolicy, subject: str = ""
) -> Breaker | None:
    """Return the breaker with a call admitted, or None when it is refused; arguments as `wait`.

    After the reset time the first caller takes the probe, and callers are refused while it is
    out. A probe that never reports counts as lost after PROBE_TIMEOUT, so that a crash cannot keep
    a breaker half-open forever.
    """
    if wait(breaker, now, policy, subject) is not None:
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


def failed(
    breaker: Breaker,
    now: datetime,
    policy: BreakerPolicy,
    chance: float = 0.0,
    subject: str = "",
    *,
    limited: bool = True,
) -> Breaker:
    """A call failed for a passing reason: count it, open at the threshold or after a probe.

    In a closed breaker no more than MOST_OF_ONE_ACCOUNT failures of one account count at a time,
    as long as other accounts are answered.

    Args:
        breaker: the current state.
        now: when the failure was noticed (UTC).
        policy: threshold, window and times.
        chance: a random number in [0, 1), for how long it opens.
        subject: the account whose call failed; empty for a call of no account.
        limited: whether that limit holds; false if no other account got an answer.

    """
    failures = breaker.failures + 1
    if breaker.state is BreakerState.OPEN:
        # A call that left before the breaker opened says nothing new.
        return msgspec.structs.replace(breaker, failures=failures)
    recent = _within(breaker, now, policy)
    is_closed = breaker.state is BreakerState.CLOSED
    if is_closed and limited and subject and _number_of(subject, recent) >= MOST_OF_ONE_ACCOUNT:
        return breaker
    # Sorted, as the clocks of those who share a breaker differ a little.
    counted = sorted([*recent, (now, subject)], key=itemgetter(0))[-policy.threshold :]
    failed_at, failed_by = tuple(at for at, _ in counted), tuple(by for _, by in counted)
    if is_closed and len(failed_at) < policy.threshold:
        return msgspec.structs.replace(
            breaker, failures=failures, failed_at=failed_at, failed_by=failed_by
        )
    opened = Breaker(
        state=BreakerState.OPEN,
        failures=failures,
        opened_at=now,
        trips=breaker.trips + 1,
        failed_at=failed_at,
        failed_by=failed_by,
    )
    return msgspec.structs.replace(opened, open_until=now + open_for(opened, policy, chance))


def _number_of(subject: str, recent: list[tuple[datetime, str]]) -> int:
    return sum(by == subject for _, by in recent)


def _within(breaker: Breaker, now: datetime, policy: BreakerPolicy) -> list[tuple[datetime, str]]:
    """Return the earlier failures that count at a moment, each with its account."""
    # An earlier version stores no accounts.
    missing = max(len(breaker.failed_at) - len(breaker.failed_by), 0)
    accounts = (*([""] * missing), *breaker.failed_by)
    return [
        (at, by)
        for at, by in zip(breaker.failed_at, accounts, strict=False)
        if now - at < policy.window
    ]


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
