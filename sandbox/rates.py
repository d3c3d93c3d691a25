"""Request windows: per app and user for the API, per user for tokens and bookings.

A window opens with its first request and lasts a minute of sandbox time (Calendly: API limits).
"""

from collections import deque

import msgspec

from sandbox.clock import Clock
from sandbox.state.directory import Plan

REQUESTS_PER_MINUTE: dict[Plan, int] = {"free": 50, "trial": 500, "paid": 500, "enterprise": 500}
TOKENS_PER_MINUTE = 8
_MINUTE = 60.0

# POST /invitees, per user: (seconds of the window, requests in it).
BOOKING_LIMITS: dict[Plan, tuple[tuple[float, int], ...]] = {
    "trial": ((86400.0, 5),),
    "paid": ((60.0, 10), (3600.0, 50), (86400.0, 100)),
    "enterprise": ((60.0, 500),),
}


class Window(msgspec.Struct):
    """Requests counted since `opened_at` (UNIX seconds)."""

    opened_at: float
    used: int = 0


class Standing(msgspec.Struct, frozen=True):
    """A caller's use of its limit after a request."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool


class Rates:
    """All windows."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, Window] = {}
        self._booked: dict[str, deque[float]] = {}

    def take(self, key: str, limit: int) -> Standing:
        """Count one request of `key` against `limit` a minute."""
        now = self._clock.timestamp()
        window = self._windows.get(key)
        if window is None or not window.opened_at <= now < window.opened_at + _MINUTE:
            window = self._windows[key] = Window(now)
        exceeded = window.used >= limit
        if not exceeded:
            window.used += 1
        left = max(1, round(window.opened_at + _MINUTE - now))
        return Standing(limit, limit - window.used, left, exceeded)

    def take_booking(self, user_uuid: str, limits: tuple[tuple[float, int], ...]) -> bool:
        """Count one POST /invitees; False when any of the sliding windows is full."""
        now = self._clock.timestamp()
        seen = self._booked.setdefault(user_uuid, deque())
        longest = max((seconds for seconds, _ in limits), default=0.0)
        while seen and seen[0] <= now - longest:
            seen.popleft()
        for seconds, most in limits:
            if sum(1 for at in seen if at > now - seconds) >= most:
                return False
        seen.append(now)
        return True

    def clear(self) -> None:
        """Start every window again."""
        self._windows.clear()
        self._booked.clear()
