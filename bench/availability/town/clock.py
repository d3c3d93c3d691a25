"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta

_WEEK = 7


class MovedClock:
    """Implements the Clock port; it begins on the next Monday at midnight."""

    def __init__(self) -> None:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._now = today + timedelta(days=_WEEK - today.weekday())

    def now(self) -> datetime:
        """Return the moved time."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Let it be that moment (UTC), unless it is later already."""
        self._now = max(self._now, moment)
