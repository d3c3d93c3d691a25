"""Each user's share of Calendly's rate limits, kept on our side of the wire.

Calendly counts per app and user, so one user's crowd never slows another. A request that would
only earn a 429 is not sent: `spend` raises instead, with the seconds to wait.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.calendly.rate_headers import DEFAULT_WAIT, RateState
from application.ports.clock import Clock
from domain.errors import CalendlyThrottled

WINDOW = timedelta(seconds=DEFAULT_WAIT)


class Allowance(StrEnum):
    """What Calendly counts by itself."""

    TOKENS = "tokens"
    API = "api"
    BOOKINGS = "bookings"


# Calendly: API limits. Fifty is the Free plan's; a paid plan's 500 is learnt from the first
# answer. The booking limits depend on the plan and are not sent, so only a 429 pauses there.
_ASSUMED = {Allowance.TOKENS: 8, Allowance.API: 50, Allowance.BOOKINGS: 500}


class _Window:
    """One minute of one user: opened, used, limited, perhaps paused."""

    __slots__ = ("closes_at", "limit", "opened_at", "paused_until", "used")

    def __init__(self, now: datetime, limit: int) -> None:
        self.limit = limit
        self.paused_until: datetime | None = None
        self.open(now)

    def open(self, now: datetime) -> None:
        self.opened_at = now
        self.closes_at = now + WINDOW
        self.used = 0

    def wait(self, now: datetime) -> timedelta | None:
        """How long to wait before another request, or None when it may go now."""
        if not self.opened_at <= now < self.closes_at:  # over, or the clock was set back
            self.open(now)
        if self.paused_until is not None and now < self.paused_until:
            return self.paused_until - now
        return self.closes_at - now if self.used >= self.limit else None


class RateBudget:
    """Counts requests per user and allowance; in this process, in bounded memory.

    Args:
        clock: the time.
        users: (user, allowance) pairs remembered at most; the least recently used go first.

    """

    def __init__(self, clock: Clock, *, users: int = 50_000) -> None:
        self._clock = clock
        self._users = users
        self._windows: OrderedDict[tuple[Allowance, str], _Window] = OrderedDict()

    def spend(self, allowance: Allowance, user_uri: str) -> None:
        """Take one request out of the user's window.

        Raises:
            CalendlyThrottled: nothing is left; `retry_after` in seconds. Nothing may be sent.

        """
        now = self._clock.now()
        window = self._window(allowance, user_uri, now)
        wait = window.wait(now)
        if wait is not None:
            raise CalendlyThrottled(
                f"This user's Calendly request limit ({allowance}) is used up for now.",
                retry_after=max(wait.total_seconds(), 1.0),
            )
        window.used += 1

    def learn(self, allowance: Allowance, user_uri: str, state: RateState) -> None:
        """Take over what an answer said, which includes what other processes used.

        Answers overtake each other, so the count only grows within a window.
        """
        now = self._clock.now()
        window = self._window(allowance, user_uri, now)
        if allowance is Allowance.TOKENS:
            window.limit = min(state.limit, _ASSUMED[Allowance.TOKENS])
        else:
            window.limit = state.limit
        window.used = max(window.used, window.limit - state.remaining)
        if state.remaining == 0:
            window.closes_at = max(window.closes_at, now + timedelta(seconds=state.reset))

    def pause(self, allowance: Allowance, user_uri: str, seconds: float) -> None:
        """Let the user's requests rest after a 429."""
        now = self._clock.now()
        window = self._window(allowance, user_uri, now)
        window.paused_until = now + timedelta(seconds=seconds)

    def __len__(self) -> int:
        return len(self._windows)

    def _window(self, allowance: Allowance, user_uri: str, now: datetime) -> _Window:
        key = (allowance, user_uri)
        window = self._windows.pop(key, None) or _Window(now, _ASSUMED[allowance])
        self._windows[key] = window
        while len(self._windows) > self._users:
            self._windows.popitem(last=False)
        return window
