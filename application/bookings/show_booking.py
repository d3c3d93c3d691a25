"""Show one of a user's bookings."""

from application.bookings.booking_views import BookingView, view_bookings
from application.ports.storage.unit_of_work import Storage
from domain.errors import BookingNotFound
from domain.ids import BookingId, UserId


class ShowBooking:
    """Reads the store of bookings; another user's booking does not exist."""

    def __init__(self, *, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, user_id: UserId, booking_id: BookingId) -> BookingView:
        """Return the booking. Raises BookingNotFound."""
        async with self._storage() as uow:
            booking = await uow.bookings.find(user_id, booking_id)
            if booking is None:
                raise BookingNotFound("This user has no booking with that id.")
            return (await view_bookings(uow, user_id, [booking]))[0]
