"""The sandbox's one clock: real time plus an offset that a test may move.

Everything that expires, waits or has a timestamp reads this clock. No other module reads the
machine's time, because a moved clock would then affect only some modules.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Real UTC time plus a movable offset; listeners hear of every move."""

    def __init__(self) -> None:
        self.offset = timedelta(0)
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The sandbox's present, timezone-aware UTC."""
        return datetime.now(UTC) + self.offset

    def timestamp(self) -> float:
        """The sandbox's present in UNIX seconds."""
        return self.now().timestamp()

    def move(self, seconds: float) -> None:
        """Move the present by `seconds`, which may be negative."""
        self._shift(self.offset + timedelta(seconds=seconds))

    def set(self, instant: datetime) -> None:
        """Make `instant` (timezone-aware) the present; time runs on from there."""
        self._shift(instant - datetime.now(UTC))

    def reset(self) -> None:
        """Return to real time."""
        self._shift(timedelta(0))

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each move, so that sleepers can look again."""
        self._listeners.append(listener)

    def _shift(self, offset: timedelta) -> None:
        self.offset = offset
        for listener in self._listeners:
            listener()
