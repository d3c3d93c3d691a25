"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FakeClock:
    """Implements the Clock port; starts at noon of 22 November 2026 (UTC)."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Set the time; it must be aware and in UTC."""
        if now.utcoffset() != timedelta():
            raise ValueError("the clock tells UTC only")
        self._now = now

    def advance(self, by: timedelta) -> datetime:
        """Move the time on and return it."""
        self._now += by
        return self._now
