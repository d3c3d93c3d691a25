"""A clock that does not run until it is moved."""

from datetime import UTC, datetime, timedelta


class MovedClock:
    """Implements the Clock port; a slow machine does not make the moved hours longer.

    The sandbox's clock is moved along with it and runs on in between, which within a scenario
    comes to a few minutes.
    """

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the moved time."""
        return self._now

    def move(self, by: timedelta) -> None:
        """Move the time on."""
        self._now += by
