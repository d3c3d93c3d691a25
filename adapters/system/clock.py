"""The clocks of the process. The only place where the current time is read."""

import time
from datetime import UTC, datetime, timedelta

# Linux also counts the time in which the host is suspended.
_UPTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def uptime() -> float:
    """Return seconds since a fixed moment; a step of the host's clock does not change them."""
    return time.clock_gettime(_UPTIME)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class DatabaseClock:
    """Implements the Clock port with PostgreSQL's time, as this process last measured it.

    Between two measurements `uptime` counts on. So a step of the host's clock changes nothing. Before the first measurement it shows the host's time.
    """

    def __init__(self) -> None:
        self._host = SystemClock()
        self._measured: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        if self._measured is None:
            return self._host.now()
        at, since = self._measured
        return at + timedelta(seconds=uptime() - since)

    def set(self, at: datetime, since: float) -> None:
        """Continue from a measurement.

        Args:
            at: PostgreSQL's time (UTC).
            since: `uptime` at that time.

        """
        self._measured = (at, since)
