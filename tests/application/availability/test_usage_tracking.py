import asyncio
from datetime import datetime, timedelta

import pytest

from application.availability.usage_tracking import EVERY, MAX_PENDING
from application.ports.storage.availability_cache import READ_MARK_INTERVAL, CacheKey, CacheKind
from domain.errors import StorageUnavailable
from domain.ids import UserId
from tests.application.support.building import Product
from tests.application.support.host_setup import A_DAY, TOMORROW, Host, cached, host
from tests.application.support.process import Process
from tests.application.support.statement_counter import CountedStorage
from tests.fakes.clock import NOON

TYPES = CacheKey(CacheKind.EVENT_TYPES)


async def written(product: Product) -> None:
    """Let the time pass after which what was gathered is written."""
    await asyncio.sleep(EVERY + 0.1)
    await product.background.settle()


async def read_at(product: Product, ada: Host, at: CacheKey) -> datetime | None:
    """Return when a entry is known to have been read."""
    entry = await cached(product, ada, at)
    assert entry is not None
    return entry.read_at


async def test_what_is_read_is_marked(product: Product, process: Process) -> None:
    """Each entry that an answer was made from is marked as read, and no other."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(timedelta(minutes=1))

    await process.availability(
        ada.integration.user_id, ada.event_type.uri, TOMORROW, TOMORROW + A_DAY
    )
    await written(product)

    slots = CacheKey(CacheKind.SLOTS, ada.event_type.uri)
    assert await read_at(product, ada, slots) == product.clock.now()
    assert await read_at(product, ada, TYPES) == product.clock.now()
    assert await read_at(product, ada, CacheKey(CacheKind.BUSY)) is None


async def test_reading_waits_for_no_mark(product: Product) -> None:
    """A thousand reads of what was read a moment ago write nothing."""
    ada = await host(product)
    store = product.storage = CountedStorage(product.storage)
    process = Process(product, "process-1")
    await process.event_types(ada.integration.user_id)
    await process.event_types(ada.integration.user_id)
    await written(product)
    before, names = store.openings, list(product.background.names)

    for _ in range(1000):
        await process.event_types(ada.integration.user_id)
    await written(product)

    assert store.openings == before + 1000
    assert product.background.names == names


async def test_marks_are_renewed_now_and_then(product: Product, process: Process) -> None:
    """A entry that is read all the time is known to be so, to within a quarter of an hour."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    user_id = ada.integration.user_id
    a_minute = timedelta(minutes=1)
    for step in (timedelta(), a_minute, a_minute, READ_MARK_INTERVAL):
        product.clock.advance(step)
        await process.event_types(user_id)
        await written(product)

    assert await read_at(product, ada, TYPES) == NOON + 2 * a_minute + READ_MARK_INTERVAL


async def test_marks_of_many_users_are_written_together(product: Product) -> None:
    """The reads of many users in ten seconds cost one unit of work."""
    hosts = [await host(product, f"user-{number}") for number in range(20)]
    store = product.storage = CountedStorage(product.storage)
    process = Process(product, "process-1")
    for each in hosts:
        await process.sync(each.integration.id)
    before = store.openings

    for each in hosts:
        await process.event_types(each.integration.user_id)
    await written(product)

    assert store.openings == before + len(hosts) + 1
    assert product.background.names.count("mark_reads") == 1
    assert {await read_at(product, each, TYPES) for each in hosts} == {NOON}


async def test_marks_are_written_when_the_process_ends(product: Product, process: Process) -> None:
    """The last marks are written at the close, and no timer starts after it."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    await process.event_types(ada.integration.user_id)
    names = list(product.background.names)

    await process.usage.close()
    process.usage.note(ada.integration.user_id, [CacheKey(CacheKind.BUSY)], NOON)

    assert await read_at(product, ada, TYPES) == NOON
    await written(product)
    assert product.background.names == names
    assert await read_at(product, ada, CacheKey(CacheKind.BUSY)) is None


async def test_marks_that_cannot_be_written_are_dropped(
    product: Product, process: Process
) -> None:
    """While the store is down marks are lost, and later ones are written again."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    process.usage.note(ada.integration.user_id, [TYPES], NOON)
    product.storage.away = True
    with pytest.raises(StorageUnavailable):
        await process.usage.write()
    product.storage.away = False

    process.usage.note(ada.integration.user_id, [CacheKey(CacheKind.BUSY)], NOON)
    await written(product)

    assert await read_at(product, ada, TYPES) is None
    assert await read_at(product, ada, CacheKey(CacheKind.BUSY)) == NOON


async def test_marks_have_bounds(product: Product, process: Process) -> None:
    """Many users cannot fill the memory with marks."""
    for _ in range(MAX_PENDING + 10):
        process.usage.note(UserId(product.randomness.new_id()), [TYPES], NOON)

    assert len(process.usage) == MAX_PENDING
