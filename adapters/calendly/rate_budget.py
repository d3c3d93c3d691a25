"""Each user's share of Calendly's rate limits, kept on our side of the wire.

Calendly counts per app and user, so one user's requests never slow another. A request that
would only earn a 429 is not sent. CalendlyThrottled is raised instead, with the seconds to wait.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from adapters.calendly.rate_estimate import RateEstimate, RateWindow
from adapters.calendly.rate_headers import RateState
from application.ports.clock import Clock
from application.resilience.priority import is_background
from domain.errors import CalendlyThrottled


class Allowance(StrEnum):
    TOKENS = "tokens"
    API = "api"
    BOOKINGS = "bookings"


# Calendly: API limits. The booking limits depend on the plan and are not sent, so only a 429
# pauses there.
_A_MINUTE = {Allowance.TOKENS: 8, Allowance.BOOKINGS: 500}

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class _Recent(Generic[_K, _V]):
    """Made when first asked for; the least recently used are forgotten."""

    def __init__(self, most: int, make: Callable[[_K], _V]) -> None:
        self._most = most
        self._make = make
        self._kept: OrderedDict[_K, _V] = OrderedDict()

    def of(self, key: _K) -> _V:
        value = self._kept.pop(key, None) or self._make(key)
        self._kept[key] = value
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value

    def seen(self, key: _K) -> _V | None:
        return self._kept.get(key)

    def __len__(self) -> int:
        return len(self._kept)


class PendingRequest:
    """One request to the API that is under way; its sender reports the answer here."""

    def __init__(self) -> None:
        self.answered = False
        self.state: RateState | None = None

    def learn(self, state: RateState | None) -> None:
        """Note that an answer came, and what its headers say."""
        self.answered, self.state = True, state


class RateBudget:
    """Counts requests per user and allowance; in this process, in bounded memory.

    Implements `RateLimits` for the API's own limit.

    Args:
        clock: the time.
        users: remembered at most for the API, and again for all else; the idle go first.

    """

    def __init__(self, clock: Clock, *, users: int = 10_000) -> None:
        self._clock = clock
        self._estimates: _Recent[str, RateEstimate] = _Recent(
            users, lambda _: RateEstimate(clock.now())
        )
        self._windows: _Recent[tuple[Allowance, str], RateWindow] = _Recent(
            users, lambda key: RateWindow(clock.now(), _A_MINUTE[key[0]])
        )

    def spend(self, allowance: Allowance, user_uri: str) -> None:
        """Take one request out of the user's minute; for the API's own limit use `flight`.

        Raises:
            CalendlyThrottled: nothing is left; `retry_after` in seconds. Nothing may be sent.

        """
        window = self._windows.of((allowance, user_uri))
        _check(allowance, window.wait(self._clock.now()))
        window.used += 1

    @contextmanager
    def flight(self, user_uri: str) -> Iterator[PendingRequest]:
        """Count the block's one request to the API while it is on its way.

        A job's requests leave a share of the minute to what users ask for themselves.

        Raises:
            CalendlyThrottled: nothing is left; `retry_after` in seconds. Nothing may be sent.

        """
        count = self._estimates.of(user_uri)
        wait = count.wait(self._clock.now(), background=is_background())
        _check(Allowance.API, wait)
        left, flight = count.leaves(), PendingRequest()
        try:
            yield flight
        finally:
            if flight.state is None:
                count.ended(answered=flight.answered)
            else:
                count.update(self._clock.now(), left, flight.state)

    def learn(self, allowance: Allowance, user_uri: str, state: RateState) -> None:
        """Take over what an answer said about a limit that `spend` counts."""
        window = self._windows.of((allowance, user_uri))
        window.update(self._clock.now(), state)

    def pause(self, allowance: Allowance, user_uri: str, seconds: float) -> None:
        """Let the user's requests rest after a 429; a longer rest is never cut short."""
        until = self._clock.now() + timedelta(seconds=seconds)
        count = (
            self._estimates.of(user_uri)
            if allowance is Allowance.API
            else self._windows.of((allowance, user_uri))
        )
        count.paused_until = max(until, count.paused_until or until)

    def paused_until(self, user_uri: str) -> datetime | None:
        """Return until when Calendly itself asked the user's calls to rest (UTC), if it did."""
        count = self._estimates.seen(user_uri)
        until = None if count is None else count.paused_until
        return None if until is None or until <= self._clock.now() else until

    def __len__(self) -> int:
        return len(self._estimates) + len(self._windows)


def _check(allowance: Allowance, wait: timedelta | None) -> None:
    if wait is not None:
        raise CalendlyThrottled(
            f"This user's Calendly request limit ({allowance}) is used up for now.",
            retry_after=max(wait.total_seconds(), 1.0),
        )
