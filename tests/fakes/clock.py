"""A clock that does not move until it is moved."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FakeClock:
    def __init__(self, start: datetime = NOON) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        if now.utcoffset() != timedelta():
            raise ValueError("the clock tells UTC only")
        self._now = now

    def advance(self, by: timedelta) -> datetime:
        self._now += by
        return self._now
