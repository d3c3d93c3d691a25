"""Several processes spend one user's limit at a model of Calendly, in simulated time.

Each has callers that make one request after the other and return when their wait is over. A 429
pauses the user in every process, as the time stored on the integration does.
"""

import heapq
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from typing import Protocol

from adapters.calendly.rate_budget import Allowance, PendingRequest, RateBudget
from adapters.calendly.rate_headers import RateState
from domain.errors import CalendlyThrottled
from tests.adapters.calendly.support import NOW, StillClock

USER = "https://api.calendly.com/users/ADA"
MINUTE = 60.0


class Limit(Protocol):
    """How Calendly may count; `at` in seconds."""

    most: int

    def take(self, at: float) -> tuple[bool, RateState]:
        """Count a request; return whether it was within the limit, and the headers."""
        ...


class FixedMinute:
    """A window that opens with its first request.

    Args:
        most: requests in it.
        tells: whether the reset is what is left of the window, or always 60 as recorded.

    """

    def __init__(self, most: int, *, tells: bool = False) -> None:
        self.most = most
        self._tells = tells
        self._opened = -MINUTE
        self._used = 0

    def take(self, at: float) -> tuple[bool, RateState]:
        """Count one."""
        if at >= self._opened + MINUTE:
            self._opened, self._used = at, 0
        good = self._used < self.most
        self._used += good
        reset = max(1.0, round(self._opened + MINUTE - at)) if self._tells else MINUTE
        return good, RateState(self.most, self.most - self._used, reset)


class RollingMinute:
    """Counts the last sixty seconds at every moment."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken: list[float] = []

    def take(self, at: float) -> tuple[bool, RateState]:
        """Count one."""
        self._taken = [each for each in self._taken if each > at - MINUTE]
        good = len(self._taken) < self.most
        if good:
            self._taken.append(at)
        return good, RateState(self.most, self.most - len(self._taken), MINUTE)


class Crowd:
    """Processes and their callers.

    Attributes:
        sent: requests that reached Calendly.
        limited: those that it answered with 429.

    """

    def __init__(self, limit: Limit, processes: int, callers: int, idle: float, seed: int) -> None:
        self.sent = 0
        self.limited = 0
        self._limit = limit
        self._idle = idle
        self._random = random.Random(seed)  # noqa: S311 - the same callers in every run
        self._clock = StillClock()
        self._now = 0.0
        self._rests_until = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._entries = 0
        for _ in range(processes):
            budget = RateBudget(self._clock)
            for _ in range(callers):
                self._at(self._random.random() * 5, partial(self._call, budget))

    def run(self, seconds: float) -> None:
        """Run the callers for some time."""
        while self._agenda and self._agenda[0][0] <= seconds:
            self._now, _, what = heapq.heappop(self._agenda)
            self._clock.move(
                (NOW + timedelta(seconds=self._now) - self._clock.now()).total_seconds()
            )
            what()

    def _at(self, when: float, what: Callable[[], None]) -> None:
        self._entries += 1
        heapq.heappush(self._agenda, (when, self._entries, what))

    def _call(self, budget: RateBudget) -> None:
        soon = self._random.random() / 2
        if self._now < self._rests_until:
            self._at(self._rests_until + soon, partial(self._call, budget))
            return
        request = budget.flight(USER)
        try:
            flight = request.__enter__()
        except CalendlyThrottled as held_back:
            again = self._now + (held_back.retry_after or 0) + soon
            self._at(again, partial(self._call, budget))
            return
        arrives = self._now + self._random.uniform(0.02, 0.2)
        self._at(arrives, lambda: self._arrive(budget, request, flight))

    def _arrive(
        self,
        budget: RateBudget,
        request: AbstractContextManager[PendingRequest],
        flight: PendingRequest,
    ) -> None:
        good, state = self._limit.take(self._now)
        self.sent += 1
        self.limited += not good
        flight.learn(state)
        back = self._now + self._random.uniform(0.02, 0.2)
        self._at(back, lambda: self._answer(budget, request, None if good else state.reset))

    def _answer(
        self,
        budget: RateBudget,
        request: AbstractContextManager[PendingRequest],
        rest: float | None,
    ) -> None:
        request.__exit__(None, None, None)
        if rest is not None:
            budget.pause(Allowance.API, USER, rest)
            self._rests_until = max(self._rests_until, self._now + rest)
        idle = self._random.expovariate(1 / self._idle) if self._idle else 0.0
        self._at(self._now + idle, partial(self._call, budget))
