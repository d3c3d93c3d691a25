"""Event types and open slots, from the cache and always with their age."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from adapters.web import examples
from adapters.web.caller import identified, provide_user_id
from adapters.web.moments import moment, moment_parameter
from adapters.web.operations import API_SECURITY, CALLER, CALLING_CALENDLY, answer, answers
from adapters.web.schemas.availability import Availability, CacheAge, EventTypes
from adapters.web.services import FromServices
from adapters.web.translation import availability_answer, event_types_answer
from domain import errors
from domain.ids import UserId


class AvailabilityController(Controller):
    """What the user's hosts offer."""

    path = "/api/calendly"
    tags = ("Availability",)
    guards = (identified,)
    dependencies = {"user_id": Provide(provide_user_id, sync_to_thread=False)}  # noqa: RUF012
    security = API_SECURITY

    @get(
        "/event-types",
        operation_id="listEventTypes",
        summary="A user's event types",
        responses=answers(
            {200: answer(examples.EVENT_TYPES, "All event types, inactive ones included")},
            *CALLER,
            *CALLING_CALENDLY,
            errors.AvailabilityPending,
        ),
    )
    async def event_types(
        self, services: FromServices, user_id: NamedDependency[UserId]
    ) -> Response[EventTypes]:
        """List event types."""
        found = event_types_answer(await services.read_event_types(user_id))
        return Response(found, headers=_age(found.cache))

    @get(
        "/availability",
        operation_id="getAvailability",
        summary="Open slots of one event type",
        responses=answers(
            {200: answer(examples.AVAILABILITY, "Open slots in the range")},
            *CALLER,
            errors.InvalidRange,
            errors.EventTypeNotFound,
            *CALLING_CALENDLY,
            errors.AvailabilityPending,
        ),
    )
    async def availability(
        self,
        services: FromServices,
        user_id: NamedDependency[UserId],
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
    ) -> Response[Availability]:
        """List open slots."""
        found = availability_answer(
            await services.read_availability(
                user_id, event_type, moment(start, "start"), moment(end, "end")
            )
        )
        return Response(found, headers=_age(found.cache))


def _age(cache: CacheAge) -> dict[str, str]:
    """Return the Age header (RFC 9111): seconds since Calendly was asked."""
    return {"Age": str(max(cache.age_seconds, 0))}
