import asyncio
from datetime import timedelta
from itertools import count

import pytest
from msgspec.structs import replace

from application.bookings.idempotency import LEASE
from application.ports.storage.availability_cache import Scope
from domain.booking import BookingStatus, Facts
from domain.errors import (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyRejected,
    CalendlyUncertain,
    CommandInProgress,
    EventTypeNotFound,
    StorageUnavailable,
)
from tests.application.support.booking_requests import KEY, wanted
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host, invalidate_cache
from tests.application.support.process import Process


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


async def test_another_booking_of_the_invitee_is_not_taken_for_ours(
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
    """A booking that could not be looked up at first is found on repetition, not booked twice."""
    product.calendly.fail_next("book", CalendlyUncertain("lost"), processed=True)
    product.calendly.fail_next("find", CalendlyRejected("not now"))
    with pytest.raises(CalendlyUncertain) as lost:
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    with pytest.raises(CommandInProgress) as early:
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    assert lost.value.retry_after == early.value.retry_after
    product.clock.advance(timedelta(seconds=lost.value.retry_after or 0))

    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert performed.view.booking.facts.status is BookingStatus.BOOKED
    assert product.calendly.calls["book"] == 1
    assert len(product.calendly.invitees) == 1


async def offer(product: Product, process: Process, ada: Host, **changed: object) -> None:
    """Change the host's event type, and have it cached."""
    user_uri = ada.integration.account.user_uri
    product.calendly.types[user_uri] = [replace(ada.event_type, **changed)]
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    await process.sync(ada.integration.id)


async def lose(product: Product, process: Process, ada: Host, *, processed: bool) -> None:
    """Lose the answer to a request to book, find nothing immediately, and let the lease end."""
    product.calendly.fail_next("book", CalendlyUncertain("lost"), processed=processed)
    product.calendly.fail_next("find", CalendlyRejected("not now"))
    with pytest.raises(CalendlyUncertain):
        await process.book(ada.integration.user_id, KEY, wanted(ada))
    product.clock.advance(LEASE)


async def test_a_booking_is_found_though_its_event_type_is_gone(
    product: Product, process: Process, ada: Host
) -> None:
    """Start, e-mail and token are enough to find the booking."""
    await lose(product, process, ada, processed=True)
    await offer(product, process, ada, active=False)

    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert [performed.view.booking.facts] == list(product.calendly.invitees.values())


async def test_an_event_type_that_is_inactive_by_now_is_an_error(
    product: Product, process: Process, ada: Host
) -> None:
    """When nothing was booked, a repetition for an inactive event type is refused as such."""
    await lose(product, process, ada, processed=False)
    await offer(product, process, ada, active=False)

    with pytest.raises(EventTypeNotFound):
        await process.book(ada.integration.user_id, KEY, wanted(ada))


def hand_over(product: Product, ada: Host) -> Facts:
    """Let Calendly have assigned the only booking to a colleague."""
    colleague = product.calendly.add_user("Colleague")
    organization = ada.integration.account.organization_uri
    product.calendly.accounts[colleague.user_uri] = replace(
        colleague, organization_uri=organization
    )
    (facts,) = product.calendly.invitees.values()
    theirs = replace(facts, details=replace(facts.details, host_uris=(colleague.user_uri,)))
    product.calendly.put(theirs)
    return theirs


async def test_a_booking_with_a_colleague_is_found(
    product: Product, process: Process, ada: Host
) -> None:
    """A round robin's booking that went to another host is found in the organization."""
    await offer(product, process, ada, pooling_type="round_robin")
    await lose(product, process, ada, processed=True)
    theirs = hand_over(product, ada)

    performed = await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert performed.view.booking.facts == theirs
    assert product.calendly.calls["book"] == 1


async def test_a_round_robin_is_not_booked_again_unseen(
    product: Product, process: Process, ada: Host
) -> None:
    """A caller who may not search the other hosts' bookings gets an error, and no new booking."""
    await offer(product, process, ada, pooling_type="round_robin")
    await lose(product, process, ada, processed=True)
    hand_over(product, ada)
    product.calendly.fail_next("find_in_organization", CalendlyForbidden("not an admin"))

    with pytest.raises(CalendlyUncertain, match="another host"):
        await process.book(ada.integration.user_id, KEY, wanted(ada))

    assert product.calendly.calls["book"] == 1


async def test_a_plain_event_type_is_booked_again_without_the_organization(
    product: Product, process: Process, ada: Host
) -> None:
    """A single host's bookings are all in their own list: a refused search does not matter."""
    await lose(product, process, ada, processed=False)
    product.calendly.fail_next("find_in_organization", CalendlyForbidden("not an admin"))

    await process.book(ada.integration.user_id, KEY, wanted(ada))

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
    """A request that may have booked is looked up again, even after a later one was refused."""
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
    """A process dies at any step; repeating under the same key leaves one booking."""
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
