"""Commands on a booking at Calendly: cancel it, mark its invitee as a no-show.

Every handler needs an Idempotency-Key, so a repetition never acts twice.
"""

from typing import Annotated
from uuid import UUID

from litestar import delete, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from adapters.web.controllers.caller_controllers import CallersUser, UserController
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi import examples
from adapters.web.openapi.operations import (
    ACTING,
    CALLER,
    CALLING_CALENDLY,
    answer,
    answers,
    json_body,
)
from adapters.web.params.idempotency_key import provide_idempotency_key
from adapters.web.params.services import FromServices
from adapters.web.schemas.bookings import Booking, CancelBooking
from adapters.web.schemas.from_use_cases import booking_answer
from adapters.wiring.services import Services
from application.bookings.idempotency import CommandResult
from domain import errors
from domain.ids import BookingId, UserId

CancelBody = Annotated[CancelBooking | None, json_body("Cancel", examples.CANCEL_BOOKING)]
_GOOD = {200: answer(examples.BOOKING, "The booking as it is now")}
_PROBLEMS = (
    *CALLER,
    *ACTING,
    errors.BookingNotFound,
    errors.BookingNotOpen,
    *CALLING_CALENDLY,
)


class BookingCommandsController(UserController):
    path = "/api/calendly/bookings"
    tags = ("Bookings",)
    dependencies = {  # noqa: RUF012
        **UserController.dependencies,
        "key": Provide(provide_idempotency_key, sync_to_thread=False),
    }

    @post(
        "/{booking_id:uuid}/cancel",
        operation_id="cancelBooking",
        summary="Cancel a booking",
        description="Calendly cancels the whole event; of a group event, for every invitee.",
        status_code=200,
        responses=answers(_GOOD, *_PROBLEMS, errors.PayloadTooLarge),
    )
    async def cancel(
        self,
        services: FromServices,
        user_id: CallersUser,
        key: NamedDependency[str],
        booking_id: FromPath[UUID],
        data: CancelBody = None,
    ) -> Booking:
        reason = data.reason if data else None
        done = await services.cancel_booking(user_id, key, BookingId(booking_id), reason)
        return _response(done)

    @post(
        "/{booking_id:uuid}/no-show",
        operation_id="markNoShow",
        summary="Mark the invitee as a no-show",
        status_code=200,
        responses=answers(_GOOD, *_PROBLEMS),
    )
    async def mark_no_show(
        self,
        services: FromServices,
        user_id: CallersUser,
        key: NamedDependency[str],
        booking_id: FromPath[UUID],
    ) -> Booking:
        return await _mark(services, user_id, key, booking_id, no_show=True)

    @delete(
        "/{booking_id:uuid}/no-show",
        operation_id="clearNoShow",
        summary="Remove a no-show mark",
        status_code=200,
        responses=answers(_GOOD, *_PROBLEMS),
    )
    async def clear_no_show(
        self,
        services: FromServices,
        user_id: CallersUser,
        key: NamedDependency[str],
        booking_id: FromPath[UUID],
    ) -> Booking:
        return await _mark(services, user_id, key, booking_id, no_show=False)


async def _mark(
    services: Services, user_id: UserId, key: str, booking_id: UUID, *, no_show: bool
) -> Booking:
    done = await services.mark_no_show(user_id, key, BookingId(booking_id), no_show=no_show)
    return _response(done)


def _response(done: CommandResult) -> Booking:
    about_integration(done.view.booking.integration_id)
    return booking_answer(done.view)
