import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from adapters.persistence.errors import StoreRefused
from adapters.system.clock import DatabaseClock
from adapters.system.clock_sync import LIMIT, ClockSkew, ClockSync, measure
from domain.errors import SlotkeeperError, StorageUnavailable

SECOND = timedelta(seconds=1)


class Database:
    """A PostgreSQL whose clock differs from this host's, and which may be unavailable or slow."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead
        self.fault: SlotkeeperError | None = None
        self.delays: list[float] = []

    async def time(self) -> datetime:
        """Return its time, after the next delay."""
        if self.fault is not None:
            raise self.fault
        await asyncio.sleep(self.delays.pop(0) if self.delays else 0)
        return datetime.now(UTC) + self.ahead


class Synced:
    """A process's clock and skew over a database."""

    def __init__(self, database: Database) -> None:
        self.clock, self.skew = DatabaseClock(), ClockSkew()
        self.reported: list[timedelta] = []
        self.sync = ClockSync(
            read=database.time, clock=self.clock, skew=self.skew, report=self.reported.append
        )

    def is_off(self, database: Database) -> timedelta:
        """Return how far the process's clock is from the database's."""
        return abs(self.clock.now() - datetime.now(UTC) - database.ahead)


@pytest.mark.parametrize("seconds", [-300, 0, 62])
async def test_the_process_shows_the_databases_time(seconds: int) -> None:
    """After a comparison the clock is PostgreSQL's, and the skew is reported with its sign."""
    database = Database(timedelta(seconds=seconds))
    synced = Synced(database)

    await synced.sync.compare()

    assert synced.is_off(database) < SECOND
    [skew] = synced.reported
    assert synced.skew.value == skew
    assert abs(skew + database.ahead) < SECOND


async def test_a_slow_answer_does_not_count() -> None:
    """Of three round trips the fastest is taken."""
    database = Database(timedelta())
    database.delays = [0.3, 0.0, 0.3]

    measured = await measure(database.time)

    assert abs(measured.skew) < timedelta(seconds=0.1)


@pytest.mark.parametrize("fault", [StorageUnavailable("gone"), StoreRefused("another password")])
async def test_a_process_starts_without_its_database(fault: SlotkeeperError) -> None:
    """Without an answer the host's time is used, and the process says that it is not ready."""
    database = Database(timedelta(hours=1))
    database.fault = fault
    synced = Synced(database)

    async with synced.sync.running():
        assert abs(synced.clock.now() - datetime.now(UTC)) < SECOND
        assert "was not compared" in (synced.skew.fault() or "")
        database.fault = None
        await asyncio.wait_for(synced.skew.known.wait(), 30)

    assert synced.is_off(database) < SECOND
    assert "behind PostgreSQL's" in (synced.skew.fault() or "")


async def test_an_outage_leaves_the_last_comparison() -> None:
    """While PostgreSQL is down the clock runs on from the last comparison."""
    database = Database(timedelta(minutes=5))
    synced = Synced(database)
    await synced.sync.compare()
    database.fault = StorageUnavailable("gone")

    with pytest.raises(StorageUnavailable):
        await synced.sync.compare()

    assert synced.is_off(database) < SECOND
    assert len(synced.reported) == 1


def test_the_limit_is_not_ready() -> None:
    """From 30 s on, in either direction, the process is not ready."""
    almost = LIMIT - timedelta(milliseconds=1)

    assert [ClockSkew(each).fault() for each in (almost, -almost)] == [None, None]
    assert "30 s ahead of PostgreSQL's" in (ClockSkew(LIMIT).fault() or "")
    assert "30 s behind PostgreSQL's" in (ClockSkew(-LIMIT).fault() or "")
