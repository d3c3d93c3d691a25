import pytest

from domain.booking import BookingStatus
from domain.errors import BookingNotFound
from domain.ids import BookingId
from tests.application.support.building import Product
from tests.application.support.host_setup import host
from tests.application.support.process import Process


async def test_a_user_sees_an_own_booking(product: Product, process: Process) -> None:
    """A booking is shown under the id that it got here."""
    ada = await host(product)
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    (booking,) = product.storage.state.bookings.values()

    view = await process.show(ada.integration.user_id, booking.id)

    assert view.booking.facts == facts
    assert (view.rescheduled_from, view.rescheduled_to) == (None, None)


async def test_both_halves_of_a_reschedule_are_linked(product: Product, process: Process) -> None:
    """A rescheduled booking names the one that replaced it, and the other way round."""
    ada = await host(product)
    first = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    product.calendly.invitee_reschedules(first.invitee_uri, ada.starts[1])
    await process.reconcile(ada.integration.id, backfill=True)
    stored = {each.facts.status: each.id for each in product.storage.state.bookings.values()}
    old, new = stored[BookingStatus.RESCHEDULED], stored[BookingStatus.BOOKED]

    before = await process.show(ada.integration.user_id, old)
    after = await process.show(ada.integration.user_id, new)

    assert (before.rescheduled_from, before.rescheduled_to) == (None, new)
    assert (after.rescheduled_from, after.rescheduled_to) == (old, None)


async def test_another_users_booking_does_not_exist(product: Product, process: Process) -> None:
    """Neither another user's booking nor an unknown one is found."""
    ada = await host(product, "ada")
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    (booking,) = product.storage.state.bookings.values()
    eve = await product.connect("eve")

    for user_id, booking_id in (
        (eve.user_id, booking.id),
        (ada.integration.user_id, BookingId(product.randomness.new_id())),
    ):
        with pytest.raises(BookingNotFound):
            await process.show(user_id, booking_id)
