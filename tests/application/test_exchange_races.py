import asyncio

import pytest

from application.token_sealing import open_access
from domain.errors import (
    CalendlyUnavailable,
    IntegrationNotFound,
    RefreshInProgress,
    StorageUnavailable,
)
from domain.integration import Status, usable_tokens
from tests.application.building import Product
from tests.application.leasing import leased
from tests.application.process import LEASE, Process
from tests.fakes.clock import NOON


async def test_a_lease_lost_before_the_request_sends_nothing(
    product: Product, process: Process
) -> None:
    """Who lost the lease meanwhile never spends the token."""
    connected = await product.connect()
    mine = await leased(product, connected.id)
    product.clock.advance(LEASE)
    await leased(product, connected.id)

    with pytest.raises(RefreshInProgress):
        await process.exchange(*mine)

    assert product.calendly.calls["refresh"] == 0
    assert await product.stored(connected.id) == connected


async def test_a_refusal_after_somebody_faster_is_fine(product: Product, process: Process) -> None:
    """When another process already stored a newer pair, a refusal of the old token means nothing."""
    connected = await product.connect()
    slow = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.exchange(*slow))
    await hold.reached.wait()
    product.clock.advance(LEASE)
    winner = await Process(product, "process-2").exchange(*await leased(product, connected.id))
    hold.release()

    result = await task

    assert result == winner
    assert await product.stored(connected.id) == winner
    assert product.signals.seen == {
        ("token_refresh", "refreshed"): 1,
        ("token_refresh", "lost_race"): 1,
    }


async def test_a_pair_that_comes_too_late_changes_nothing(
    product: Product, process: Process
) -> None:
    """An account that was connected anew during a refresh keeps its new grant."""
    connected = await product.connect()
    slow = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.exchange(*slow))
    await hold.reached.wait()
    async with product.storage() as uow:
        await uow.integrations.put_connected(connected)
        await uow.commit()
    hold.release()

    result = await task

    assert result == connected
    assert await product.stored(connected.id) == connected


async def test_an_account_that_vanished_is_not_found(product: Product, process: Process) -> None:
    """A refresh that ends after its account was erased says that there is none."""
    connected = await product.connect()
    slow = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.exchange(*slow))
    await hold.reached.wait()
    async with product.storage() as uow:
        await uow.integrations.erase(connected.id)
        await uow.commit()
    hold.release()

    with pytest.raises(IntegrationNotFound):
        await task


async def test_a_short_outage_of_the_store_loses_no_pair(
    product: Product, process: Process
) -> None:
    """When the store is away for a moment after Calendly's answer, the new pair is still kept."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.exchange(*taken))
    await hold.reached.wait()
    product.storage.fail_next(*[StorageUnavailable("away")] * 3)
    hold.release()

    fresh = await task

    assert await product.stored(connected.id) == fresh
    assert fresh.tokens is not None
    assert fresh.tokens.version == 2


async def test_a_commit_whose_answer_was_lost_is_recognised(
    product: Product, process: Process
) -> None:
    """A pair that was stored although the store did not say so is not lost."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.exchange(*taken))
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=True)
    hold.release()

    fresh = await task

    assert fresh.tokens is not None
    assert fresh.tokens.version == 2
    access = open_access(product.vault, fresh)
    assert await product.calendly.me(access) == connected.account


async def test_a_long_outage_of_the_store_is_said(product: Product, process: Process) -> None:
    """When the store does not come back the refresh fails, and the doubt stays recorded."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.exchange(*taken))
    await hold.reached.wait()
    product.storage.fail_next(*[StorageUnavailable("away")] * 50)
    hold.release()

    with pytest.raises(StorageUnavailable):
        await task

    stored = product.storage.state.integrations[connected.id].value
    assert stored.exchange_started_at == NOON


async def test_a_disconnect_under_way_stays_one(product: Product, process: Process) -> None:
    """A refresh that ends while the account is being disconnected does not revive it."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.exchange(*taken))
    await hold.reached.wait()
    await product.mark_disconnecting(connected.id)
    hold.release()
    await task

    assert (await product.stored(connected.id)).status is Status.DISCONNECTING


async def test_a_cancelled_exchange_stores_its_answer_first(
    product: Product, process: Process
) -> None:
    """A shutdown in the middle of a refresh loses no grant."""
    connected = await product.connect()
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh(connected.id))
    await hold.reached.wait()

    task.cancel()
    await asyncio.sleep(1)
    hold.release()

    with pytest.raises(asyncio.CancelledError):
        await task
    stored = await product.stored(connected.id)
    assert usable_tokens(stored).version == 2
    assert stored.exchange_started_at is None
    assert product.signals.seen == {("token_refresh", "refreshed"): 1}


async def test_a_cancelled_exchange_stores_its_failure_first(
    product: Product, process: Process
) -> None:
    """A shutdown in the middle of a refresh that fails leaves no doubt behind."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"))
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh(connected.id))
    await hold.reached.wait()

    task.cancel()
    await asyncio.sleep(1)
    hold.release()

    with pytest.raises(asyncio.CancelledError):
        await task
    stored = await product.stored(connected.id)
    assert (stored.exchange_started_at, stored.last_error_code) == (None, "calendly_unavailable")
