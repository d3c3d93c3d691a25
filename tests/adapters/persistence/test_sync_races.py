"""A sync that stores what it fetched, against an erasure, on connections of their own."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage
from application.availability.fetch import FetchAvailability, FetchRequest, FetchResult
from application.availability.refresh_cache import HELD, SYNCED, RefreshCache
from application.ports.storage.availability_cache import CacheEntry, CacheKind
from application.tokens.calendly_session import Seen
from domain.cache_policy import CachePolicy
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.application.support.recording import RecordedTelemetry
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.randomness import FakeRandomness

EVENT_TYPES = CacheEntry(kind=CacheKind.EVENT_TYPES, key="", content=b"[]", fetched_at=NOON)
GONE = CacheEntry(kind=CacheKind.SLOTS, key="of a deleted type", content=b"[]", fetched_at=NOON)
LOCK_GONE = "SELECT id FROM calendly_availability_cache WHERE key = $1 FOR UPDATE"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


class Emptiness(FetchAvailability):
    """Returns empty lists without a call, reports its start, and waits for the test."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def fetch(
        self,
        seen: Seen,  # noqa: ARG002
        requests: Sequence[FetchRequest],
    ) -> list[FetchResult]:
        """Return the same for every integration."""
        self.begun.set()
        await self.go_on.wait()
        later = NOON + timedelta(hours=13)
        return [FetchResult(CacheEntry(*each.key, b"[]", fetched_at=later)) for each in requests]


@pytest.fixture
def fetched(clock: FakeClock) -> Emptiness:
    """The fetch of a refresh, when the stored entries are old."""
    clock.advance(timedelta(hours=13))
    return Emptiness()


@pytest.fixture
def sync(
    piccolo_storage: PiccoloStorage,
    clock: FakeClock,
    randomness: FakeRandomness,
    fetched: Emptiness,
) -> RefreshCache:
    """The sync, storing in the real store."""
    return RefreshCache(
        storage=piccolo_storage,
        fetch=fetched,
        clock=clock,
        randomness=randomness,
        telemetry=RecordedTelemetry(),
        policy=CachePolicy(),
        owner="racer",
    )


async def erase(storage: PiccoloStorage, integration_id: IntegrationId) -> None:
    """Erase an integration, committed."""
    async with storage() as uow:
        await uow.integrations.erase(integration_id)
        await uow.commit()


async def until_waiting(sql: asyncpg.Connection, statements: int) -> None:
    """Return once so many statements wait for a lock."""
    async with asyncio.timeout(10):
        while await sql.fetchval(WAITING) < statements:
            # Within a transaction the view would go on showing what it showed first.
            await sql.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)")


async def test_erased_while_storing(
    piccolo_storage: PiccoloStorage,
    sql: asyncpg.Connection,
    ada: Integration,
    sync: RefreshCache,
    fetched: Emptiness,
) -> None:
    """Erasing waits for a sync that is storing its parts; neither is turned away."""
    async with piccolo_storage() as uow:
        await uow.availability.put(ada.user_id, ada.id, [EVENT_TYPES, GONE])
        await uow.commit()
    fetched.go_on.set()
    stalling = sql.transaction()
    await stalling.start()
    await sql.execute(LOCK_GONE, GONE.key)  # stops the sync after it has locked the other part

    syncing = asyncio.create_task(sync(ada.id))
    await until_waiting(sql, 1)
    erasing = asyncio.create_task(erase(piccolo_storage, ada.id))
    await until_waiting(sql, 2)
    await stalling.rollback()
    result, _ = await asyncio.gather(syncing, erasing)

    assert result == SYNCED
    assert await sql.fetchval("SELECT count(*) FROM calendly_availability_cache") == 0


async def test_erased_while_fetching(
    piccolo_storage: PiccoloStorage,
    sql: asyncpg.Connection,
    ada: Integration,
    sync: RefreshCache,
    fetched: Emptiness,
) -> None:
    """Results for an integration that was erased during the fetch are dropped silently."""
    syncing = asyncio.create_task(sync(ada.id))
    await fetched.begun.wait()
    await erase(piccolo_storage, ada.id)
    fetched.go_on.set()

    assert await syncing == HELD
    assert await sql.fetchval("SELECT count(*) FROM calendly_availability_cache") == 0
