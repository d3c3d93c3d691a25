"""List a user's bookings by keyset pages, and show one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from application.ports.storage.bookings import BookingQuery
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from domain.booking import Booking
from domain.errors import BookingNotFound
from domain.ids import BookingId, UserId


class BookingView(msgspec.Struct, frozen=True):
    """A booking, and the ids of its predecessor and successor in a chain of reschedules."""

    booking: Booking
    rescheduled_from: BookingId | None = None
    rescheduled_to: BookingId | None = None


async def view_bookings(
    uow: UnitOfWork, user_id: UserId, bookings: Sequence[Booking]
) -> tuple[BookingView, ...]:
    """Return the bookings with the ids of their relatives, in the same order."""
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


class BookingsPage(msgspec.Struct, frozen=True):
    """A page; `next` is the keyset position of the following one, or None after the last."""

    items: tuple[BookingView, ...]
    next: tuple[datetime, BookingId] | None


@dataclass(frozen=True, kw_only=True)
class ListBookings:
    """Reads stored bookings only; no call to Calendly."""

    storage: Storage

    async def __call__(self, user_id: UserId, query: BookingQuery) -> BookingsPage:
        """Return a page by ascending start; an empty one for a user without bookings."""
        one_more = msgspec.structs.replace(query, limit=query.limit + 1)
        async with self.storage() as uow:
            bookings = await uow.bookings.page(user_id, one_more)
            items = await view_bookings(uow, user_id, bookings[: query.limit])
        if len(bookings) <= query.limit:
            return BookingsPage(items, None)
        last = items[-1].booking
        return BookingsPage(items, (last.facts.details.start, last.id))


@dataclass(frozen=True, kw_only=True)
class ShowBooking:
    """Reads one stored booking; another user's booking is not found."""

    storage: Storage

    async def __call__(self, user_id: UserId, booking_id: BookingId) -> BookingView:
        """Return the booking. Raises BookingNotFound."""
        async with self.storage() as uow:
            booking = await uow.bookings.find(user_id, booking_id)
            if booking is None:
                raise BookingNotFound("This user has no booking with that id.")
            return (await view_bookings(uow, user_id, [booking]))[0]
