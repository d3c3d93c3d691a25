"""An estimate of Calendly's count for one user, as far as one process can know it.

Other processes use the same limit. Each answer carries Calendly's count, which includes their
answered requests but not those in flight. The rule not to break is to keep room for these: several
other processes are assumed to have as many in flight as this one.
"""

import math
from datetime import datetime, timedelta

from adapters.calendly.rate_headers import DEFAULT_WAIT, RateState

WINDOW = timedelta(seconds=DEFAULT_WAIT)
# Calendly: API limits. Fifty is the Free plan's; a paid plan's is learnt from the first answer.
ASSUMED = 50
# How often what is in flight here counts: for four processes, and for half as much again that
# was counted at Calendly but is not known here yet. In simulation fewer than one in a thousand
# requests earn a 429.
IN_FLIGHT_FACTOR = 6
# The part of the limit that is left to other processes no matter how little is in flight.
_RESERVE = 0.04
# The part of the limit that may be in flight before Calendly has said anything.
_FIRST_REQUESTS = 0.12
# The part of the limit that background work leaves to user requests.
_OWN_SHARE = 0.2
# Calendly's reset is in whole seconds: the minute may end that much later.
_ROUNDED = timedelta(seconds=1)
# While answers are awaited the next one may make room.
_MOMENT = timedelta(seconds=1)


class RateEstimate:
    """Calendly's count in its latest answer, and the requests sent since."""

    __slots__ = (
        "_answered", "_expires_at", "_flying", "_kept", "_since", "_spent", "_words", "limit",
        "paused_until", "used",
    )  # fmt: skip

    def __init__(self, now: datetime) -> None:
        self.limit = ASSUMED
        self.paused_until: datetime | None = None
        self.used = 0
        self._flying = 0
        self._words, self._kept = 0, 0
        self._answered, self._spent = False, False
        self._since, self._expires_at = now, now + WINDOW

    def wait(self, now: datetime, *, background: bool) -> timedelta | None:
        """How long to wait before another request, or None when it may go now."""
        if self.paused_until is not None and now < self.paused_until:
            return self.paused_until - now
        if not self._since <= now < self._expires_at:  # too old, or the clock was set back
            self._forget(now)
        if not self._answered and self._flying >= self._untold():
            return _MOMENT
        share = math.floor(self.limit * _OWN_SHARE) if background else 0
        if self._needed(self._flying + 1) + share <= self.limit:
            return None
        if self._needed(1) + self._flying + share <= self.limit:
            return _MOMENT
        self._spent = self._spent or not background
        return self._expires_at - now

    def leaves(self) -> int:
        """Count a request that leaves now; return what `update` needs to place its answer."""
        self._flying += 1
        return self._words

    def ended(self, *, answered: bool) -> None:
        """Count a request whose answer said nothing, or never came: it may have been counted."""
        self._flying -= 1
        self.used += 1
        self._answered = self._answered or answered

    def update(self, now: datetime, left: int, state: RateState) -> None:
        """Take over what the answer to a request said, which includes all other processes' use.

        Answers may arrive out of order. An answer to a request that left before the current count
        was received can only add to it. A later one replaces it, because Calendly's minute goes on.
        """
        self._flying -= 1
        self.limit = state.limit
        used = state.limit - state.remaining
        if used < self.used and left < self._kept:
            return
        self._words += 1
        self._kept, self.used, self._answered = self._words, used, True
        self._since, self._expires_at = now, now + timedelta(seconds=state.reset) + _ROUNDED
        if self._needed(1) <= self.limit:
            self._spent = False

    def _needed(self, flying: int) -> int:
        """Return how much of the limit is gone at most, with so many in flight here."""
        # A limit this small has no room to reserve for other processes.
        each = min(IN_FLIGHT_FACTOR - 1, self.limit // 10)
        others = max(math.floor(self.limit * _RESERVE), each * flying)
        return self.used + flying + others

    def _untold(self) -> int:
        # After a limit that was reached a single request goes ahead to see, into the reserve.
        return 1 if self._spent else max(math.floor(self.limit * _FIRST_REQUESTS), 1)

    def _forget(self, now: datetime) -> None:
        self._since, self._expires_at = now, now + WINDOW
        self.used, self._kept, self._answered = 0, self._words, False


class RateWindow:
    """A fixed minute of one user, counted here alone: for limits that no answer reports.

    Args:
        now: when it opens (UTC).
        limit: requests in it; an answer may lower it, never raise it.

    """

    __slots__ = ("_most", "closes_at", "limit", "opened_at", "paused_until", "used")

    def __init__(self, now: datetime, limit: int) -> None:
        self._most = limit
        self.limit = limit
        self.paused_until: datetime | None = None
        self.used = 0
        self.opened_at, self.closes_at = now, now + WINDOW

    def wait(self, now: datetime) -> timedelta | None:
        """How long to wait before another request, or None when it may go now."""
        if not self.opened_at <= now < self.closes_at:  # over, or the clock was set back
            self._open(now)
        if self.paused_until is not None and now < self.paused_until:
            return self.paused_until - now
        return self.closes_at - now if self.used >= self.limit else None

    def update(self, now: datetime, state: RateState) -> None:
        """Take over the count in an answer; an older answer never raises what is left."""
        self.limit = min(state.limit, self._most)
        self.used = max(self.used, self.limit - state.remaining)
        if state.remaining == 0:
            self.closes_at = max(self.closes_at, now + timedelta(seconds=state.reset))

    def _open(self, now: datetime) -> None:
        self.opened_at, self.closes_at = now, now + WINDOW
        self.used = 0
