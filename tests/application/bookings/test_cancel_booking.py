import asyncio

import pytest
from msgspec.structs import replace

from application.bookings.cancel_booking import LONGEST_REASON
from application.bookings.idempotency import LEASE
from domain.booking import Booking, BookingStatus
from domain.errors import (
    BookingNotFound,
    BookingNotOpen,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyUnavailable,
    CalendlyUncertain,
    CommandInProgress,
    IdempotencyKeyReused,
    InvalidInput,
    ReauthRequired,
)
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host
from tests.application.support.process import Process

KEY = "cancel-4711"


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host."""
    return await host(product)


@pytest.fixture
async def booking(product: Product, process: Process, ada: Host) -> Booking:
    """A booking of the host's."""
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    (made,) = product.storage.state.bookings.values()
    return made


async def test_a_booking_is_canceled_on_both_sides(
    product: Product, process: Process, booking: Booking
) -> None:
    """After canceling, Calendly and the store agree on who canceled and why."""
    performed = await process.cancel(booking.user_id, KEY, booking.id, "ill")

    facts = performed.view.booking.facts
    assert facts == product.calendly.invitees[facts.invitee_uri]
    assert facts.status is BookingStatus.CANCELED
    assert facts.cancellation is not None
    assert (facts.cancellation.by_kind, facts.cancellation.reason) == ("host", "ill")
    row = product.storage.state.integrations[booking.integration_id]
    assert row.invalidated_by == "cancel"


async def test_a_group_is_canceled_for_all_invitees(product: Product, process: Process) -> None:
    """Canceling a group event cancels every invitee's booking, not only the named one."""
    ada = await host(product, kind="group")
    named, *_ = [
        product.calendly.invitee_books(ada.event_type.uri, ada.starts[0], email=email)
        for email in ("iris@example.net", "otto@example.net", "uma@example.net")
    ]
    await process.reconcile(ada.integration.id, backfill=True)
    booking = product.storage.state.bookings[ada.integration.id, named.invitee_uri]

    performed = await process.cancel(booking.user_id, KEY, booking.id, "ill")

    assert performed.view.booking.id == booking.id
    stored = product.storage.state.bookings.values()
    assert [each.facts.status for each in stored] == [BookingStatus.CANCELED] * 3


async def test_an_erased_invitee_is_not_reported_as_canceled(
    product: Product, process: Process, booking: Booking
) -> None:
    """An invitee that Calendly erased from an event is not reported as canceled."""
    product.calendly.put(
        replace(booking.facts, invitee_uri=f"{booking.facts.event_uri}/invitees/OTHER")
    )
    del product.calendly.invitees[booking.facts.invitee_uri]

    with pytest.raises(CalendlyNotFound):
        await process.cancel(booking.user_id, KEY, booking.id, None)

    assert list(product.storage.state.bookings.values()) == [booking]


async def test_a_repeated_request_cancels_nothing(
    product: Product, process: Process, booking: Booking
) -> None:
    """Under the same key the result is returned, and Calendly is not asked."""
    first = await process.cancel(booking.user_id, KEY, booking.id, None)

    second = await process.cancel(booking.user_id, KEY, booking.id, None)

    assert (second.view, second.repeated) == (first.view, True)
    assert product.calendly.calls["cancel"] == 1


async def test_a_key_is_for_one_request(process: Process, booking: Booking) -> None:
    """The same key with another reason is another request."""
    await process.cancel(booking.user_id, KEY, booking.id, None)

    with pytest.raises(IdempotencyKeyReused):
        await process.cancel(booking.user_id, KEY, booking.id, "ill")


async def test_what_is_canceled_counts_as_canceled(
    product: Product, process: Process, booking: Booking
) -> None:
    """A second cancellation under a new key succeeds and sends no cancellation."""
    first = await process.cancel(booking.user_id, KEY, booking.id, None)

    second = await process.cancel(booking.user_id, "another", booking.id, None)

    assert second.view == first.view
    assert not second.repeated
    assert product.calendly.calls["cancel"] == 1


async def test_what_was_rescheduled_is_not_canceled(
    product: Product, process: Process, ada: Host, booking: Booking
) -> None:
    """A rescheduled booking is refused; the booking that replaced it is not canceled."""
    product.calendly.invitee_reschedules(booking.facts.invitee_uri, ada.starts[1])
    await process.reconcile(ada.integration.id, backfill=False)

    with pytest.raises(BookingNotOpen):
        await process.cancel(booking.user_id, KEY, booking.id, None)

    assert product.calendly.calls["cancel"] == 0


async def test_a_cancellation_without_effect_is_uncertain(
    product: Product, process: Process, booking: Booking
) -> None:
    """If Calendly still shows the booking as active, the result is uncertain; a repetition reads it."""
    task = asyncio.create_task(process.cancel(booking.user_id, KEY, booking.id, None))
    hold = product.calendly.hold_next("of_event")
    await hold.reached.wait()
    product.calendly.put(booking.facts)
    hold.release()
    with pytest.raises(CalendlyUncertain) as uncertain:
        await task
    assert uncertain.value.retry_after == LEASE.total_seconds()
    with pytest.raises(CommandInProgress):
        await process.cancel(booking.user_id, KEY, booking.id, None)
    product.clock.advance(LEASE)

    performed = await process.cancel(booking.user_id, KEY, booking.id, None)

    assert performed.view.booking.facts.status is BookingStatus.CANCELED


async def test_a_lost_answer_is_repaired_by_repeating(
    product: Product, process: Process, booking: Booking
) -> None:
    """A cancellation whose answer was lost is stored by the repetition."""
    product.calendly.fail_next("cancel", CalendlyUncertain("lost"), processed=True)
    with pytest.raises(CalendlyUncertain):
        await process.cancel(booking.user_id, KEY, booking.id, None)
    product.clock.advance(LEASE)

    performed = await process.cancel(booking.user_id, KEY, booking.id, None)

    assert performed.view.booking.facts.status is BookingStatus.CANCELED


async def test_a_failure_may_be_repeated_at_once(
    product: Product, process: Process, booking: Booking
) -> None:
    """After a failure that processed nothing the same key works without waiting."""
    product.calendly.fail_next("cancel", CalendlyUnavailable("down"), times=3)
    with pytest.raises(CalendlyUnavailable):
        await process.cancel(booking.user_id, KEY, booking.id, None)

    await process.cancel(booking.user_id, KEY, booking.id, None)

    assert product.telemetry.seen["booking_command", "cancel", "calendly_unavailable"] == 1
    assert product.telemetry.seen["booking_command", "cancel", "done"] == 1


async def test_a_past_booking_is_refused_by_calendly(
    product: Product, process: Process, booking: Booking
) -> None:
    """A refusal by Calendly changes nothing here."""
    product.clock.set(booking.facts.details.start)

    with pytest.raises(CalendlyForbidden):
        await process.cancel(booking.user_id, KEY, booking.id, None)

    assert list(product.storage.state.bookings.values()) == [booking]


async def test_a_reason_has_a_longest_length(
    product: Product, process: Process, booking: Booking
) -> None:
    """A reason that Calendly would not take is refused before anything is sent."""
    with pytest.raises(InvalidInput):
        await process.cancel(booking.user_id, KEY, booking.id, "x" * (LONGEST_REASON + 1))
    assert product.storage.state.booking_commands == {}

    await process.cancel(booking.user_id, KEY, booking.id, "x" * LONGEST_REASON)


async def test_another_users_booking_does_not_exist(
    product: Product, process: Process, booking: Booking
) -> None:
    """A user cannot cancel another user's booking."""
    eve = await product.connect("eve")

    with pytest.raises(BookingNotFound):
        await process.cancel(eve.user_id, KEY, booking.id, None)

    assert product.calendly.calls["cancel"] == 0


async def test_without_a_grant_nothing_is_canceled(
    product: Product, process: Process, booking: Booking
) -> None:
    """After a lost grant the error asks to connect again; the request may be repeated then."""
    product.calendly.revoke_grants(product.calendly.grants[0].user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(booking.integration_id)

    for _ in range(2):
        with pytest.raises(ReauthRequired):
            await process.cancel(booking.user_id, KEY, booking.id, None)
