"""Acting at Calendly on a booking: cancel it, mark its invitee as a no-show.

Every handler takes an Idempotency-Key, and repeating it never acts twice.
"""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, post
from litestar.di import NamedDependency, Provide
from litestar.enums import RequestEncodingType
from litestar.openapi.spec import Example
from litestar.params import BodyKwarg, FromPath

from adapters.web import examples
from adapters.web.caller import identified, provide_user_id
from adapters.web.idempotency import provide_idempotency_key
from adapters.web.operations import (
    ACTING,
    API_SECURITY,
    CALLER,
    CALLING_CALENDLY,
    ActingOperation,
    answer,
    answers,
)
from adapters.web.schemas.bookings import Booking, CancelBooking
from adapters.web.services import FromServices
from adapters.web.translation import booking_answer
from domain import errors
from domain.ids import BookingId, UserId

CancelBody = Annotated[
    CancelBooking | None,
    BodyKwarg(
        media_type=RequestEncodingType.JSON,
        examples=[Example(summary="Cancel", value=examples.CANCEL_BOOKING)],
    ),
]
_ON_A_BOOKING = answers(
    {200: answer(examples.BOOKING, "The booking as it is now")},
    *CALLER,
    *ACTING,
    errors.BookingNotFound,
    errors.BookingNotOpen,
    *CALLING_CALENDLY,
)


class BookingCommandsController(Controller):
    """Act on bookings."""

    path = "/api/calendly/bookings"
    tags = ("Bookings",)
    guards = (identified,)
    dependencies = {  # noqa: RUF012
        "user_id": Provide(provide_user_id, sync_to_thread=False),
        "key": Provide(provide_idempotency_key, sync_to_thread=False),
    }
    security = API_SECURITY

    @post(
        "/{booking_id:uuid}/cancel",
        operation_id="cancelBooking",
        operation_class=ActingOperation,
        summary="Cancel a booking",
        description="Calendly cancels the whole event; of a group event, for every invitee.",
        status_code=200,
        responses=_ON_A_BOOKING,
    )
    async def cancel(
        self,
        services: FromServices,
        user_id: NamedDependency[UserId],
        key: NamedDependency[str],
        booking_id: FromPath[UUID],
        data: CancelBody = None,
    ) -> Booking:
        """Cancel a booking."""
        reason = data.reason if data else None
        done = await services.cancel_booking(user_id, key, BookingId(booking_id), reason)
        return booking_answer(done.view)

    @post(
        "/{booking_id:uuid}/no-show",
        operation_id="markNoShow",
        operation_class=ActingOperation,
        summary="Mark the invitee as a no-show",
        status_code=200,
        responses=_ON_A_BOOKING,
    )
    async def mark_no_show(
        self,
        services: FromServices,
        user_id: NamedDependency[UserId],
        key: NamedDependency[str],
        booking_id: FromPath[UUID],
    ) -> Booking:
        """Mark a no-show."""
        done = await services.mark_no_show(user_id, key, BookingId(booking_id), no_show=True)
        return booking_answer(done.view)

    @delete(
        "/{booking_id:uuid}/no-show",
        operation_id="clearNoShow",
        operation_class=ActingOperation,
        summary="Take a no-show mark back",
        status_code=200,
        responses=_ON_A_BOOKING,
    )
    async def clear_no_show(
        self,
        services: FromServices,
        user_id: NamedDependency[UserId],
        key: NamedDependency[str],
        booking_id: FromPath[UUID],
    ) -> Booking:
        """Take a no-show mark back."""
        done = await services.mark_no_show(user_id, key, BookingId(booking_id), no_show=False)
        return booking_answer(done.view)
