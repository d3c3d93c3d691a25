from datetime import timedelta

import pytest

from domain.booking import Booking
from domain.errors import (
    BookingNotFound,
    BookingNotOpen,
    CalendlyUnavailable,
    IdempotencyKeyReused,
)
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host
from tests.application.support.process import Process


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host."""
    return await host(product)


@pytest.fixture
async def booking(product: Product, process: Process, ada: Host) -> Booking:
    """A booking of the host's, half an hour ago."""
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    product.clock.set(ada.starts[0] + timedelta(minutes=30))
    await process.reconcile(ada.integration.id, backfill=True)
    (made,) = product.storage.state.bookings.values()
    return made


def stored_mark(product: Product) -> str | None:
    """Return the URI of the stored mark, or None."""
    (booking,) = product.storage.state.bookings.values()
    return booking.facts.no_show.uri if booking.facts.no_show else None


def calendlys_mark(product: Product) -> str | None:
    """Return the URI of Calendly's mark, or None."""
    (facts,) = product.calendly.invitees.values()
    return facts.no_show.uri if facts.no_show else None


async def test_a_mark_is_set_and_taken_back(
    product: Product, process: Process, booking: Booking
) -> None:
    """The mark is the same here and at Calendly after any order of toggles."""
    await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)
    assert stored_mark(product) == calendlys_mark(product) is not None
    product.clock.advance(timedelta(seconds=1))

    performed = await process.mark_no_show(booking.user_id, "clear", booking.id, no_show=False)

    assert stored_mark(product) is calendlys_mark(product) is None
    assert performed.view.booking.facts.no_show is not None
    product.clock.advance(timedelta(seconds=1))
    await process.mark_no_show(booking.user_id, "again", booking.id, no_show=True)
    assert stored_mark(product) == calendlys_mark(product) is not None


async def test_repeating_changes_nothing(
    product: Product, process: Process, booking: Booking
) -> None:
    """Under the same key the result is returned, and Calendly is not asked."""
    first = await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)

    second = await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)

    assert (second.view, second.repeated) == (first.view, True)
    assert product.calendly.calls["mark_no_show"] == 1


async def test_what_is_marked_counts_as_marked(
    product: Product, process: Process, booking: Booking
) -> None:
    """A second mark under a new key keeps the first one."""
    await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)
    before = stored_mark(product)

    performed = await process.mark_no_show(booking.user_id, "more", booking.id, no_show=True)

    assert not performed.repeated
    assert stored_mark(product) == before


async def test_what_is_not_marked_needs_no_clearing(
    product: Product, process: Process, booking: Booking
) -> None:
    """Taking back a mark that was never set succeeds and changes nothing at Calendly."""
    performed = await process.mark_no_show(booking.user_id, "clear", booking.id, no_show=False)

    assert performed.view.booking == booking
    assert product.calendly.calls["clear_no_show"] == 0


async def test_a_clock_behind_calendlys_takes_a_mark_back(
    product: Product, process: Process, booking: Booking
) -> None:
    """The mark is removed immediately, even if our clock is behind the time of the mark."""
    await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)
    product.clock.set(product.clock.now() - timedelta(seconds=3))

    await process.mark_no_show(booking.user_id, "clear", booking.id, no_show=False)

    assert stored_mark(product) is calendlys_mark(product) is None


async def test_a_mark_set_elsewhere_is_taken_back(
    product: Product, process: Process, ada: Host, booking: Booking
) -> None:
    """A mark that the host set at Calendly, unknown to us so far, is taken back as well."""
    access = product.calendly.access(ada.integration.account.user_uri)
    await product.calendly.mark_no_show(access, booking.facts.invitee_uri)
    assert stored_mark(product) is None

    await process.mark_no_show(booking.user_id, "clear", booking.id, no_show=False)

    assert stored_mark(product) is calendlys_mark(product) is None
    assert product.calendly.calls["clear_no_show"] == 1


async def test_a_mark_that_is_gone_at_calendly_goes_here(
    product: Product, process: Process, booking: Booking
) -> None:
    """A mark that Calendly no longer has is taken back here without asking for it there."""
    await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)
    product.calendly.put(booking.facts)

    await process.mark_no_show(booking.user_id, "clear", booking.id, no_show=False)

    assert stored_mark(product) is None
    assert product.calendly.calls["clear_no_show"] == 0


async def test_a_key_is_for_one_direction(process: Process, booking: Booking) -> None:
    """The same key cannot both set and take back."""
    await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)

    with pytest.raises(IdempotencyKeyReused):
        await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=False)


async def test_only_an_active_booking_is_marked(
    product: Product, process: Process, ada: Host, booking: Booking
) -> None:
    """A canceled booking cannot be a no-show."""
    product.calendly.invitee_cancels(booking.facts.invitee_uri)
    await process.reconcile(ada.integration.id, backfill=False)

    with pytest.raises(BookingNotOpen):
        await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)

    assert product.calendly.calls["mark_no_show"] == 0


async def test_a_failure_may_be_repeated_at_once(
    product: Product, process: Process, booking: Booking
) -> None:
    """A failed attempt changes nothing here, and the same key works without waiting."""
    product.calendly.fail_next("mark_no_show", CalendlyUnavailable("down"), times=3)
    with pytest.raises(CalendlyUnavailable):
        await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)
    assert stored_mark(product) is None

    await process.mark_no_show(booking.user_id, "mark", booking.id, no_show=True)

    assert stored_mark(product) is not None


async def test_another_users_booking_does_not_exist(
    product: Product, process: Process, booking: Booking
) -> None:
    """A user cannot mark another user's invitee."""
    eve = await product.connect("eve")

    with pytest.raises(BookingNotFound):
        await process.mark_no_show(eve.user_id, "mark", booking.id, no_show=True)
