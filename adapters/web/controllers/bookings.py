"""Bookings: list and show the stored ones, and book at Calendly."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter

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
from adapters.web.params import cursor as cursors
from adapters.web.params.idempotency_key import provide_idempotency_key
from adapters.web.params.services import FromServices
from adapters.web.params.times import moment_parameter, optional_moment
from adapters.web.schemas.bookings import Booking, BookingPage, BookingWithLinks, NewBooking
from adapters.web.schemas.from_use_cases import booking_answer, booking_with_links
from application.bookings.create_booking import BookingInput
from application.ports.calendly.bookings import Answer
from application.ports.storage.bookings import BookingQuery
from domain import errors
from domain.booking import BookingStatus
from domain.ids import BookingId

BookingBody = Annotated[NewBooking, json_body("Book", examples.NEW_BOOKING)]


class BookingsController(UserController):
    path = "/api/calendly/bookings"
    tags = ("Bookings",)

    @get(
        operation_id="listBookings",
        summary="A user's bookings by ascending start",
        responses=answers(
            {200: answer(examples.BOOKING_PAGE, "A page of bookings")},
            *CALLER,
            errors.InvalidCursor,
            errors.InvalidRange,
        ),
    )
    async def list_bookings(
        self,
        *,
        services: FromServices,
        user_id: CallersUser,
        status: Annotated[
            list[BookingStatus] | None,
            QueryParameter(description="Only these; repeat the parameter for several."),
        ] = None,
        start: Annotated[str | None, moment_parameter("Starting at or after this")] = None,
        end: Annotated[str | None, moment_parameter("Starting before this")] = None,
        limit: Annotated[int, QueryParameter(description="Bookings a page.", ge=1, le=100)] = 50,
        cursor: cursors.Cursor = None,
    ) -> BookingPage:
        query = BookingQuery(
            limit=limit,
            statuses=tuple(dict.fromkeys(status or ())),
            starts_from=optional_moment(start, "start"),
            starts_before=optional_moment(end, "end"),
            after=None if cursor is None else cursors.decode(cursor),
        )
        if query.starts_from and query.starts_before and query.starts_before <= query.starts_from:
            raise errors.InvalidRange("end must be after start.")
        page = await services.list_bookings(user_id, query)
        return BookingPage(
            items=tuple(map(booking_answer, page.items)),
            next_cursor=None if page.next is None else cursors.encode(page.next),
        )

    @get(
        "/{booking_id:uuid}",
        operation_id="getBooking",
        summary="One booking, with its links",
        description="The links cancel and reschedule without a login: treat them as passwords.",
        responses=answers(
            {200: answer(examples.BOOKING_WITH_LINKS, "The booking")},
            *CALLER,
            errors.BookingNotFound,
        ),
    )
    async def show(
        self,
        services: FromServices,
        user_id: CallersUser,
        booking_id: FromPath[UUID],
    ) -> BookingWithLinks:
        view = await services.show_booking(user_id, BookingId(booking_id))
        about_integration(view.booking.integration_id)
        return booking_with_links(view)

    @post(
        operation_id="createBooking",
        dependencies={"key": Provide(provide_idempotency_key, sync_to_thread=False)},
        summary="Book for an invitee",
        responses=answers(
            {
                201: answer(examples.BOOKING, "Booked"),
                200: answer(examples.BOOKING, "Booked before under the same Idempotency-Key"),
            },
            *CALLER,
            *ACTING,
            errors.PayloadTooLarge,
            errors.InvalidTimezone,
            errors.EventTypeNotFound,
            errors.SlotTaken,
            errors.CalendarBroken,
            *CALLING_CALENDLY,
        ),
    )
    async def book(
        self,
        services: FromServices,
        user_id: CallersUser,
        key: NamedDependency[str],
        data: BookingBody,
    ) -> Response[Booking]:
        done = await services.book_for_invitee(user_id, key, _input(data))
        about_integration(done.view.booking.integration_id)
        return Response(booking_answer(done.view), status_code=200 if done.repeated else 201)


def _input(body: NewBooking) -> BookingInput:
    return BookingInput(
        event_type=body.event_type,
        start=body.start,
        name=body.invitee.name,
        email=body.invitee.email,
        timezone=body.invitee.timezone,
        location_kind=body.location.kind if body.location else None,
        location=body.location.text if body.location else None,
        answers=tuple(Answer(each.question, each.answer, each.position) for each in body.answers),
        guests=tuple(body.guests),
    )
