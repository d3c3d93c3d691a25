"""A fixed minute of one user, counted here alone: for limits that answers do not speak of."""

from datetime import datetime, timedelta

from adapters.calendly.rate_headers import DEFAULT_WAIT, RateState

WINDOW = timedelta(seconds=DEFAULT_WAIT)


class RateWindow:
    """Opened, used, limited, perhaps paused.

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
