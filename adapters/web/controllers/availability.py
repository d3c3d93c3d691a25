"""Event types, open slots, busy times and schedules, from the cache and always with their age."""

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from adapters.web.caching.cached_response import cached_response, cached_slots
from adapters.web.caching.response_cache import Validity
from adapters.web.controllers.caller_controllers import CallersUser, UserController
from adapters.web.errors.problems import AnyRequest
from adapters.web.openapi import examples
from adapters.web.openapi.operations import (
    CALLER,
    CALLING_CALENDLY,
    answer,
    answers,
    empty,
)
from adapters.web.params.cursor import Cursor
from adapters.web.params.services import FromServices
from adapters.web.params.times import moment, moment_parameter, optional_seconds, seconds_parameter
from adapters.web.schemas.from_use_cases import (
    after_of,
    availability_answer,
    busy_times_answer,
    event_types_answer,
    schedules_answer,
)
from domain import errors
from domain.local_days import zone_of

MaxAge = Annotated[
    str | None,
    seconds_parameter(
        "Accept no older response: wait for a fetch instead, while Calendly is available"
    ),
]
_UNCHANGED = {304: empty("Unchanged since the response whose ETag is in If-None-Match")}
_PROBLEMS = (*CALLER, *CALLING_CALENDLY, errors.AvailabilityPending)


class AvailabilityController(UserController):
    path = "/api/calendly"
    tags = ("Availability",)

    @get(
        "/event-types",
        operation_id="listEventTypes",
        summary="A user's event types by name",
        responses=answers(
            {200: answer(examples.EVENT_TYPES, "A page, inactive ones included"), **_UNCHANGED},
            *_PROBLEMS,
            errors.InvalidCursor,
        ),
    )
    async def event_types(
        self,
        *,
        request: AnyRequest,
        services: FromServices,
        user_id: CallersUser,
        limit: Annotated[
            int, QueryParameter(description="Event types a page.", ge=1, le=100)
        ] = 100,
        cursor: Cursor = None,
        max_age: MaxAge = None,
    ) -> Response[bytes]:
        after = after_of(cursor)
        oldest = optional_seconds(max_age, "max_age")
        view = await services.read_event_types(user_id, max_age=oldest)
        body = event_types_answer(view, limit, after)
        validity = Validity.of(user_id, view, oldest)
        return cached_response(request, body, validity, services.clock.now())

    @get(
        "/availability",
        operation_id="getAvailability",
        summary="Open slots of one event type",
        responses=answers(
            {200: answer(examples.AVAILABILITY, "Open slots in the range"), **_UNCHANGED},
            *_PROBLEMS,
            errors.InvalidRange,
            errors.InvalidTimezone,
            errors.EventTypeNotFound,
        ),
    )
    async def availability(
        self,
        *,
        request: AnyRequest,
        services: FromServices,
        user_id: CallersUser,
        event_type: Annotated[
            str,
            QueryParameter(
                description="The event type's URI, or the last segment of it.",
                min_length=1,
                max_length=300,
            ),
        ],
        start: Annotated[str, moment_parameter("Slots from here, with a UTC offset")],
        end: Annotated[str, moment_parameter("Slots before this, with a UTC offset")],
        timezone: Annotated[
            str | None,
            QueryParameter(
                description="An IANA name, such as Europe/Berlin: adds the slots by local day."
            ),
        ] = None,
        max_age: MaxAge = None,
    ) -> Response[bytes]:
        zone = None if timezone is None else zone_of(timezone)
        oldest = optional_seconds(max_age, "max_age")
        span = moment(start, "start"), moment(end, "end")
        view = await services.read_availability(user_id, event_type, *span, max_age=oldest)
        body = availability_answer(view, zone)
        validity, now = Validity.of(user_id, view, oldest), services.clock.now()
        if zone is not None:
            return cached_response(request, body, validity, now)
        return cached_slots(request, body, view.slot_window, validity, now)

    @get(
        "/busy-times",
        operation_id="listBusyTimes",
        summary="A user's busy times",
        responses=answers(
            {200: answer(examples.BUSY_TIMES, "Busy times that overlap the range"), **_UNCHANGED},
            *_PROBLEMS,
            errors.InvalidRange,
        ),
    )
    async def busy_times(
        self,
        *,
        request: AnyRequest,
        services: FromServices,
        user_id: CallersUser,
        start: Annotated[str, moment_parameter("From here, with a UTC offset")],
        end: Annotated[str, moment_parameter("Until here, with a UTC offset")],
        max_age: MaxAge = None,
    ) -> Response[bytes]:
        oldest = optional_seconds(max_age, "max_age")
        span = moment(start, "start"), moment(end, "end")
        view = await services.read_busy_times(user_id, *span, max_age=oldest)
        body, validity = busy_times_answer(view), Validity.of(user_id, view, oldest)
        return cached_response(request, body, validity, services.clock.now())

    @get(
        "/schedules",
        operation_id="listSchedules",
        summary="A user's weekly hours",
        responses=answers(
            {200: answer(examples.SCHEDULES, "All schedules"), **_UNCHANGED}, *_PROBLEMS
        ),
    )
    async def schedules(
        self,
        *,
        request: AnyRequest,
        services: FromServices,
        user_id: CallersUser,
        max_age: MaxAge = None,
    ) -> Response[bytes]:
        oldest = optional_seconds(max_age, "max_age")
        view = await services.read_schedules(user_id, max_age=oldest)
        body, validity = schedules_answer(view), Validity.of(user_id, view, oldest)
        return cached_response(request, body, validity, services.clock.now())
