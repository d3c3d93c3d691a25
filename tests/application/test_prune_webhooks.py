from datetime import timedelta

import pytest

from application.redact_bodies import received_before
from application.tally import Tally
from domain.integration import Integration
from tests.application.building import Product
from tests.application.delivering import connect, created, deliver, events
from tests.application.process import Process
from tests.application.test_apply_webhooks import leave
from tests.fakes.clock import NOON

DAY = timedelta(days=1)


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


async def prune(process: Process, limit: int = 2) -> Tally:
    """Run the job to its end; return the sum of its pages."""
    total = Tally()
    while True:
        page = await process.prune_webhooks(total.cursor, limit, lambda _: None)
        total = total.plus(page)
        if not page.more:
            return total


async def test_what_was_settled_goes_after_its_time(
    product: Product, process: Process, ada: Integration
) -> None:
    """Applied events go after thirty days and not before; their bookings stay."""
    for number in range(5):
        await deliver(process, created(number), ada)
    product.clock.advance(30 * DAY)
    early = await prune(process)
    product.clock.advance(timedelta(seconds=1))

    late = await prune(process)

    assert early.done == {}
    assert late.done == {"webhook_events": 5}
    assert events(product) == []
    assert len(product.storage.state.bookings) == 5


async def test_what_waits_never_goes(product: Product, process: Process, ada: Integration) -> None:
    """A pending event stays however old it is; a dead letter has ninety days."""
    pending = await leave(product, created(), ada.id)
    dead = await leave(product, created(2), ada.id)
    async with product.storage() as uow:
        await uow.webhook_events.failed(dead, "unexpected", None)
        await uow.commit()
    product.clock.advance(90 * DAY)
    early = await prune(process)
    product.clock.advance(timedelta(seconds=1))
    late = await prune(process)

    product.clock.advance(3650 * DAY)
    await prune(process)

    assert (early.done, late.done) == ({}, {"dead_letters": 1})
    assert [row.event.id for row in events(product)] == [pending]


async def test_a_repetition_after_pruning_does_no_harm(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event that comes once more after it was forgotten leaves the bookings as they are."""
    await deliver(process, created(), ada)
    before = dict(product.storage.state.bookings)
    product.clock.advance(31 * DAY)
    await prune(process)

    again = await deliver(process, created(), ada)

    assert again.result == "stored"
    assert product.storage.state.bookings == before


async def test_what_comes_late_of_an_erased_invitee_is_rewritten(
    product: Product, process: Process, ada: Integration
) -> None:
    """A body that arrives after the erasure of its invitee loses the person with the next run."""
    await process.erase_invitee("grace@example.net", "cli")
    await deliver(process, created(), ada)
    (kept,) = events(product)
    assert b"grace@example.net" in kept.event.body

    done = (await prune(process)).done
    again = (await prune(process)).done

    (row,) = events(product)
    assert (done, again) == ({"redacted": 1}, {})
    assert b"Grace" not in row.event.body
    assert b"grace@example.net" not in row.event.body


async def test_progress_is_told(product: Product, process: Process, ada: Integration) -> None:
    """Each page tells how far it is."""
    await deliver(process, created(), ada)
    product.clock.advance(31 * DAY)
    told: list[Tally] = []

    page = await process.prune_webhooks(None, 10, told.append)

    assert told == [page]
    assert page == Tally(examined=1, done={"webhook_events": 1}, cursor="rest:", more=True)


def test_positions_follow_time() -> None:
    """The position of a moment is the first id that a UUID of version 7 can have then."""
    position = received_before(NOON)

    assert position.int >> 80 == int(NOON.timestamp() * 1000)
    assert received_before(NOON - timedelta(milliseconds=1)) < position
