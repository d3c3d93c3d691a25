import asyncio

import pytest

from application.availability.refresh_cache import FETCH_LEASE, LAST_STEP, SYNCED
from tests.application.support.building import Product
from tests.application.support.host_setup import host
from tests.application.support.process import Process
from tests.fakes.sync_queue import due_at


@pytest.mark.parametrize("stage", ["fetching", "storing"])
async def test_a_cancelled_sync_releases_the_lease(
    product: Product, process: Process, stage: str
) -> None:
    """After a shutdown during a refresh other workers fetch immediately, as if it had not begun."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types" if stage == "fetching" else "schedules")
    cut_off = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    if stage == "storing":
        product.storage.fail_next_commit(asyncio.CancelledError())  # type: ignore[arg-type]
        hold.release()
    else:
        cut_off.cancel()

    with pytest.raises(asyncio.CancelledError):
        await cut_off

    assert product.storage.state.integrations[ada.integration.id].sync_owner is None
    assert due_at(product.storage.state.integrations[ada.integration.id]) == product.clock.now()
    assert await Process(product, "process-2").sync(ada.integration.id) == SYNCED


async def test_giving_back_survives_a_second_shutdown(product: Product, process: Process) -> None:
    """Cancelled again while it gives the right back, a sync still does."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    cut_off = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()

    for _ in range(4):
        cut_off.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await cut_off

    assert product.storage.state.integrations[ada.integration.id].sync_owner is None


async def test_giving_back_takes_a_bounded_time(product: Product, process: Process) -> None:
    """A store that hangs does not keep the process from ending."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    cut_off = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async with product.storage():  # one unit of work at a time
        cut_off.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cut_off

    assert LAST_STEP <= loop.time() - began < LAST_STEP + 1


async def test_an_owner_without_the_lease_releases_nothing(
    product: Product, process: Process
) -> None:
    """A refresh that is cancelled after another owner took the lease leaves it to that owner."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    cut_off = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    product.clock.advance(FETCH_LEASE)
    now = product.clock.now()
    async with product.storage() as uow:
        assert await uow.sync_queue.take(ada.integration.id, "other", now, now + FETCH_LEASE)
        await uow.commit()

    cut_off.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut_off

    assert product.storage.state.integrations[ada.integration.id].sync_owner == "other"
