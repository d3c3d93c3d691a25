"""Single-use booking links."""

from typing import Annotated

from litestar import post

from adapters.web.controllers.caller_controllers import CallersUser, UserController
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi import examples
from adapters.web.openapi.operations import CALLER, CALLING_CALENDLY, answer, answers, json_body
from adapters.web.params.services import FromServices
from adapters.web.schemas.scheduling_links import NewSchedulingLink, SchedulingLink
from domain import errors

NEW_LINK = NewSchedulingLink(event_type=examples.NEW_BOOKING.event_type)
LINK = SchedulingLink(
    booking_url="https://calendly.com/d/abcd-brv8/intro", event_type=NEW_LINK.event_type
)
LinkBody = Annotated[NewSchedulingLink, json_body("Create a link", NEW_LINK)]


class SchedulingLinksController(UserController):
    path = "/api/calendly/scheduling-links"
    tags = ("Bookings",)

    @post(
        operation_id="createSchedulingLink",
        summary="A booking page at Calendly that accepts one booking",
        description=(
            "For an active event type of the user. Each call creates another link. There is no "
            "Idempotency-Key: an unused link does no harm, so repeat the request after a lost "
            "response. It needs Calendly's scope `scheduling_links:write`. If the user's grant "
            "lacks it, the response is `scope_missing`; connecting again adds it."
        ),
        responses=answers(
            {201: answer(LINK, "A new link")},
            *CALLER,
            errors.PayloadTooLarge,
            errors.EventTypeNotFound,
            errors.CalendlyNotFound,
            errors.CalendlyRejected,
            errors.CalendlyUncertain,
            *CALLING_CALENDLY,
            errors.AvailabilityPending,
        ),
    )
    async def create(
        self, services: FromServices, user_id: CallersUser, data: LinkBody
    ) -> SchedulingLink:
        link = await services.create_scheduling_link(user_id, data.event_type)
        about_integration(link.integration_id)
        return SchedulingLink(booking_url=link.booking_url, event_type=link.event_type_uri)
