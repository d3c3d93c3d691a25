"""Invalidate everything cached for one user, on request."""

from litestar import post

from adapters.web.controllers.caller_controllers import CallersUser, UserController
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi.operations import CALLER, answers, empty
from adapters.web.params.services import FromServices
from domain import errors


class InvalidationController(UserController):
    path = "/api/calendly/availability/invalidate"
    tags = ("Availability",)

    @post(
        operation_id="invalidateAvailability",
        summary="Invalidate everything cached for a user",
        description=(
            "For changes at Calendly that no webhook reports, for example of working hours. "
            "From then on event types, slots, busy times and schedules are `invalidated`, and each "
            "read starts one refresh in the background, until they are fetched again. The next "
            "sync fetches the ones that callers read. To exclude the last known response, pass "
            "`max_age=0` in the next read. Safe to repeat."
        ),
        status_code=204,
        responses=answers(
            {204: empty("Everything that was cached is invalidated")},
            *CALLER,
            errors.IntegrationNotFound,
        ),
    )
    async def invalidate(self, services: FromServices, user_id: CallersUser) -> None:
        integration = await services.invalidate_availability.for_user(user_id)
        about_integration(integration.id)
