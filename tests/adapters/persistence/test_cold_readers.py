"""Many concurrent readers in several processes, over the real store."""

import asyncio
from typing import cast

import pytest

from adapters.persistence.storage import PiccoloStorage
from application.availability.read_slots import AvailabilityView
from application.ports.storage.availability_cache import Scope
from domain.cache_policy import Freshness
from tests.application.support.building import Product
from tests.application.support.crashing import CrashingStorage
from tests.application.support.host_setup import A_DAY, TOMORROW, Host, host, invalidate_cache
from tests.application.support.process import Process

PROCESSES, CROWD = 4, 125


@pytest.fixture
def product(piccolo_storage: PiccoloStorage) -> Product:
    """The product over the real store."""
    product = Product()
    product.storage = cast(CrashingStorage, piccolo_storage)
    return product


async def many_readers(product: Product, ada: Host) -> list[AvailabilityView]:
    """Let all readers ask for the same slots concurrently."""
    processes = [Process(product, f"process-{number}") for number in range(PROCESSES)]
    return await asyncio.gather(
        *(
            process.availability(
                ada.integration.user_id, ada.event_type.uri, TOMORROW, TOMORROW + A_DAY
            )
            for process in processes
            for _ in range(CROWD)
        )
    )


async def test_many_readers_of_a_cold_user_fetch_each_entry_once(product: Product) -> None:
    """Five hundred readers in four processes wait for one fetch of each thing that they need."""
    ada = await host(product)

    views = await many_readers(product, ada)

    assert {tuple(each.start for each in view.slots) for view in views} == {ada.starts}
    assert dict(product.calendly.calls) == {"event_types": 1, "available_times": 1}


async def test_many_readers_of_invalidated_entries_renew_each_once(product: Product) -> None:
    """Five hundred readers of invalidated entries are answered, and one of them renews each."""
    ada = await host(product)
    await Process(product, "first").sync(ada.integration.id)
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    product.calendly.calls.clear()

    views = await many_readers(product, ada)
    await product.background.settle()

    assert Freshness.INVALIDATED in {view.age.freshness for view in views}
    assert dict(product.calendly.calls) == {"event_types": 1, "available_times": 1}


async def test_far_slots_are_kept_and_dropped(product: Product) -> None:
    """A far window is stored beside the near one, served, and removed once unread."""
    ada = await host(product)
    process = Process(product, "process-1")
    product.calendly.open_slots(ada.event_type.uri, [TOMORROW + 70 * A_DAY])
    span = (TOMORROW + 65 * A_DAY, TOMORROW + 75 * A_DAY)
    user_id = ada.integration.user_id

    views = [await process.availability(user_id, ada.event_type.uri, *span) for _ in range(2)]
    product.clock.advance(2 * A_DAY)
    await process.sync_due(10, lambda _: None)

    async with product.storage() as uow:
        left = await uow.availability.entries(ada.integration.id)
    assert [len(view.slots) for view in views] == [1, 1]
    assert not [head.key for head in left if "#" in head.key]
