import asyncio
from itertools import count

import pytest

from application.booking_journal import LEASE
from domain.booking import BookingStatus
from domain.errors import (
    CalendlyNotFound,
    CalendlyRejected,
    CalendlyUncertain,
    CommandInProgress,
    StorageUnavailable,
)
from tests.application.booking_requests import KEY, wanted
from tests.application.building import Product
from tests.application.offering import Host, host
from tests.application.process import Process


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """A host whose availability is cached."""
    made = await host(product)
    await process.sync(made.integration.id)
    return made


async def test_a_lost_answer_is_looked_up(product: Product, process: Process, ada: Host) -> None:
    """When the answer is lost after Calendly booked, the booking is found by our own token."""
    product.calendly.fail_next("book", CalendlyUncertain("lost"), processed=True)

    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert not performed.repeated
    assert len(product.calendly.invitees) == 1
    assert product.calendly.calls["book"] == 1


async def test_a_booking_of_somebody_else_is_not_taken_for_ours(
    product: Product, process: Process, ada: Host
) -> None:
    """The invitee's other booking at the same time, made without us, is not claimed."""
    product.calendly.seat(
        ada.event_type.uri,
        ada.starts[0],
        name="Grace Invitee",
        email="grace@example.net",
        timezone=None,
    )
    product.calendly.fail_next("book", CalendlyUncertain("lost"))

    with pytest.raises(CalendlyUncertain):
        await process.book(ada.integration.user_id, KEY, wanted(ada))


async def test_an_unknown_outcome_is_found_by_repeating(
    product: Product, process: Process, ada: Host
) -> None:
    """What could not be looked up at first is found by the repetition, and not booked twice."""
    product.calendly.fail_next("book", CalendlyUncertain("lost"), processed=True)
    product.calendly.fail_next("find", CalendlyRejected("not now"))
    with pytest.raises(CalendlyUncertain):
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    with pytest.raises(CommandInProgress):
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    product.clock.advance(LEASE)

    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert performed.view.booking.facts.status is BookingStatus.BOOKED
    assert product.calendly.calls["book"] == 1
    assert len(product.calendly.invitees) == 1


async def test_a_request_that_never_arrived_is_sent_again_by_repeating(
    product: Product, process: Process, ada: Host
) -> None:
    """When the lost request turns out not to have booked, the repetition books."""
    product.calendly.fail_next("book", CalendlyUncertain("lost"))
    with pytest.raises(CalendlyUncertain):
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    product.clock.advance(LEASE)

    await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert product.calendly.calls["book"] == 2
    assert len(product.calendly.invitees) == 1


async def test_a_refusal_after_an_unknown_outcome_keeps_the_doubt(
    product: Product, process: Process, ada: Host
) -> None:
    """A request that may have booked earlier is looked up again, however a later one ended."""
    product.calendly.fail_next("book", CalendlyUncertain("lost"))
    product.calendly.fail_next("book", CalendlyRejected("no"))
    for error in (CalendlyUncertain, CalendlyRejected):
        with pytest.raises(error):
            await process.book(ada.integration.user_id, KEY, wanted(ada))
        product.clock.advance(LEASE)
    looked_up = product.calendly.calls["find"]

    await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert product.calendly.calls["find"] == looked_up + 1


async def test_a_booking_that_cannot_be_read_back_is_uncertain(
    product: Product, process: Process, ada: Host
) -> None:
    """When Calendly booked but does not show it yet, the repetition returns it."""
    product.calendly.fail_next("invitee", CalendlyNotFound("not yet"))
    with pytest.raises(CalendlyUncertain, match="Idempotency-Key"):
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    product.clock.advance(LEASE)

    await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert product.calendly.calls["book"] == 1


async def test_an_outage_of_the_store_after_booking_books_once(
    product: Product, process: Process, ada: Host
) -> None:
    """A booking whose result could not be stored is found by the repetition."""
    hold = product.calendly.hold_next("invitee")
    task = asyncio.create_task(process.book(ada.integration.user_id, KEY, wanted(ada)))
    await hold.reached.wait()
    product.storage.fail_next_commit()
    hold.release()
    with pytest.raises(StorageUnavailable):
        await task
    product.clock.advance(LEASE)

    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert len(product.calendly.invitees) == 1
    assert list(product.storage.state.bookings.values()) == [performed.view.booking]


async def test_a_booking_may_die_anywhere() -> None:
    """Whatever step a process dies at, repeating under the same key leaves one booking."""
    for step in count():
        product = Product()
        process = Process(product, "process-1")
        ada = await host(product)
        await process.sync(ada.integration.id)
        product.steps.die_at(step)
        try:
            await process.book(ada.integration.user_id, KEY, wanted(ada))
        except asyncio.CancelledError:
            product.clock.advance(LEASE)
            again = Process(product, "process-2")
            await again.book(ada.integration.user_id, KEY, wanted(ada))
            assert len(product.calendly.invitees) == 1, product.steps.died_at
            assert len(product.storage.state.bookings) == 1, product.steps.died_at
        else:
            assert step >= 15
            return
