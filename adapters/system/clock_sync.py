"""The host's clock, compared with PostgreSQL's at start and each minute.

The process corrects its own clock by the result. A skewed host therefore does no harm, but its logs
mislead, and it may drift further than a minute shows. So the skew is reported.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from adapters.system.clock import DatabaseClock, SystemClock, uptime
from domain.errors import SlotkeeperError, StorageUnavailable

WARNING = timedelta(seconds=5)
LIMIT = timedelta(seconds=30)  # from here on the process is not ready

_INTERVAL_SECONDS = 60.0
_RETRY_SECONDS = 0.5  # until the first measurement the process believes its host
_START_SECONDS = 2.0  # a process starts without its database
_SAMPLES = 3
_LONGEST_ROUND_TRIP = 2.0  # seconds; the error is at most half of it

ReadTime = Callable[[], Awaitable[datetime]]


class Measurement(NamedTuple):
    """One comparison: the host's clock minus PostgreSQL's, and PostgreSQL's time at one `uptime`."""

    skew: timedelta
    database_at: datetime
    at: float


class ClockSkew:
    """The skew of this host, as last measured; None before the first measurement.

    Attributes:
        known: is set by the first measurement. Before it a worker judges no lease.

    """

    def __init__(self, value: timedelta | None = None) -> None:
        self.known = asyncio.Event()
        self.value: timedelta | None = None
        if value is not None:
            self.set(value)

    def set(self, value: timedelta) -> None:
        self.value = value
        self.known.set()

    def fault(self) -> str | None:
        """Return why this process is not ready, with the remedy; None if it is."""
        if self.value is None:
            return "This host's clock was not compared with PostgreSQL's yet; see DATABASE_URL."
        if abs(self.value) < LIMIT:
            return None
        return f"{describe(self.value)}; synchronize both hosts by NTP."


def describe(skew: timedelta) -> str:
    """Return a skew in words."""
    direction = "ahead of" if skew > timedelta() else "behind"
    seconds = abs(skew).total_seconds()
    return f"This host's clock is {seconds:.0f} s {direction} PostgreSQL's"


async def measure(read: ReadTime) -> Measurement:
    """Compare the clocks, by the fastest of three round trips.

    Args:
        read: returns PostgreSQL's time (UTC).

    Raises:
        StorageUnavailable: PostgreSQL did not answer, or too slowly to compare.

    """
    host, best, found = SystemClock(), _LONGEST_ROUND_TRIP, None
    for _ in range(_SAMPLES):
        started = uptime()
        database_at = await read()
        ended, host_at = uptime(), host.now()
        if ended - started <= best:
            best = ended - started
            skew = host_at - timedelta(seconds=best / 2) - database_at
            found = Measurement(skew, database_at, started + best / 2)
    if found is None:
        raise StorageUnavailable("PostgreSQL answered too slowly to compare the clocks.")
    return found


class ClockSync:
    """Keeps a process's clock and skew current.

    Args:
        read: returns PostgreSQL's time (UTC); raises StorageUnavailable.
        clock: is corrected.
        skew: is kept current.
        report: receives each measured skew.

    """

    def __init__(
        self,
        *,
        read: ReadTime,
        clock: DatabaseClock,
        skew: ClockSkew,
        report: Callable[[timedelta], None],
    ) -> None:
        self._read = read
        self._clock = clock
        self._skew = skew
        self._report = report

    async def compare(self) -> None:
        """Measure once and correct the clock.

        Raises:
            StorageUnavailable: nothing was measured; clock and skew stay as they are.

        """
        measured = await measure(self._read)
        self._clock.set(measured.database_at, measured.at)
        self._skew.set(measured.skew)
        self._report(measured.skew)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Compare once, for at most two seconds, and then each minute until the end."""
        with suppress(SlotkeeperError, TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                await self.compare()
        task = asyncio.create_task(self._run(), name="clock_sync")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        wait = _RETRY_SECONDS if self._skew.value is None else _INTERVAL_SECONDS
        while True:
            await asyncio.sleep(wait)
            try:
                await self.compare()
            except SlotkeeperError:
                # A refusal passes too, for example while a password changes; readiness shows it.
                wait = _RETRY_SECONDS
            else:
                wait = _INTERVAL_SECONDS
