"""List a user's bookings, a keyset page at a time."""

from datetime import datetime

import msgspec

from application.bookings.booking_views import BookingView, view_bookings
from application.ports.storage.bookings import BookingQuery
from application.ports.storage.unit_of_work import Storage
from domain.ids import BookingId, UserId


class BookingsPage(msgspec.Struct, frozen=True):
    """A page; `next` is the keyset position of the following one, or None after the last."""

    items: tuple[BookingView, ...]
    next: tuple[datetime, BookingId] | None


class ListBookings:
    """Reads the store of bookings; Calendly is not asked."""

    def __init__(self, *, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, user_id: UserId, query: BookingQuery) -> BookingsPage:
        """Return a page by ascending start; an empty one for a user without bookings."""
        one_more = msgspec.structs.replace(query, limit=query.limit + 1)
        async with self._storage() as uow:
            found = await uow.bookings.page(user_id, one_more)
            items = await view_bookings(uow, user_id, found[: query.limit])
        if len(found) <= query.limit:
            return BookingsPage(items, None)
        last = items[-1].booking
        return BookingsPage(items, (last.facts.details.start, last.id))
