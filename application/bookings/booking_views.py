"""Bookings as callers see them: reschedules linked by our own ids, both ways."""

from collections.abc import Sequence

import msgspec

from application.ports.storage.unit_of_work import UnitOfWork
from domain.booking import Booking
from domain.ids import BookingId, UserId


class BookingView(msgspec.Struct, frozen=True):
    """A booking, and the ids of those before and after it in a chain of reschedules."""

    booking: Booking
    rescheduled_from: BookingId | None = None
    rescheduled_to: BookingId | None = None


async def view_bookings(
    uow: UnitOfWork, user_id: UserId, bookings: Sequence[Booking]
) -> tuple[BookingView, ...]:
    """Return the bookings with their links resolved, in the same order."""
    relatives = {
        uri
        for each in bookings
        for uri in (each.facts.predecessor, each.facts.successor)
        if uri is not None
    }
    ids = await uow.bookings.by_invitees(user_id, sorted(relatives)) if relatives else {}
    return tuple(
        BookingView(
            booking=each,
            rescheduled_from=ids.get(each.facts.predecessor or ""),
            rescheduled_to=ids.get(each.facts.successor or ""),
        )
        for each in bookings
    )
