from datetime import timedelta

from application.sync_availability import TURN
from application.tally import Tally
from domain.errors import CalendlyForbidden
from tests.application.building import Product
from tests.application.offering import host
from tests.application.process import CACHE, CONCURRENCY, Process


async def test_what_was_never_filled_is_due(product: Product, process: Process) -> None:
    """A newly connected integration is synced by the next run, and then not until it is stale."""
    await host(product, "ada")
    await host(product, "bob")

    first = await process.sync_due(10, lambda _: None)
    second = await process.sync_due(10, lambda _: None)
    product.clock.advance(1.1 * CACHE.soft_ttl)
    third = await process.sync_due(10, lambda _: None)

    assert first == Tally(examined=2, done={"synced": 2})
    assert second == Tally()
    assert third.done == {"synced": 2}


async def test_what_was_invalidated_is_due(product: Product, process: Process) -> None:
    """A change makes a user's availability due at once."""
    ada = await host(product)
    await process.sync_due(10, lambda _: None)
    product.clock.advance(timedelta(seconds=1))
    async with product.storage() as uow:
        await uow.availability.invalidate(
            [ada.integration.user_id], product.clock.now(), by="invitee.created"
        )
        await uow.commit()

    tally = await process.sync_due(10, lambda _: None)

    assert tally.done == {"synced": 1}


async def test_one_failure_does_not_stop_the_others(product: Product, process: Process) -> None:
    """Each integration of a page is synced whatever became of the others."""
    for name in ("ada", "bob", "cid"):
        await host(product, name)
    product.calendly.fail_next("event_types", CalendlyForbidden("no"))

    tally = await process.sync_due(10, lambda _: None)

    assert tally == Tally(examined=3, done={"synced": 2}, failed={"calendly_forbidden": 1})


async def test_a_full_page_promises_more(product: Product, process: Process) -> None:
    """Pages follow each other until one is not full; none is synced twice."""
    for name in ("ada", "bob", "cid"):
        await host(product, name)

    pages = [await process.sync_due(2, lambda _: None) for _ in range(2)]

    assert [(page.examined, page.more) for page in pages] == [(2, True), (1, False)]
    assert product.calendly.calls["event_types"] == 3


async def test_a_turn_that_ran_out_in_the_queue_is_not_used(
    product: Product, process: Process
) -> None:
    """Who waited longer than the turn lasts is left for the next run."""
    for number in range(CONCURRENCY + 1):
        await host(product, f"user-{number}")

    def time_passes(tally: Tally) -> None:
        if tally.examined == 1:
            product.clock.advance(TURN)

    tally = await process.sync_due(10, time_passes)

    assert tally.done["left_for_later"] == 1
    assert product.calendly.calls["event_types"] == CONCURRENCY
