"""Invalidate everything cached for one user, on request."""

from litestar import Controller, post
from litestar.di import NamedDependency, Provide

from adapters.web.auth.caller import identified, provide_user_id
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi.operations import API_SECURITY, CALLER, answers, empty
from adapters.web.params.services import FromServices
from domain import errors
from domain.ids import UserId


class InvalidationController(Controller):
    path = "/api/calendly/availability/invalidate"
    tags = ("Availability",)
    guards = (identified,)
    dependencies = {"user_id": Provide(provide_user_id, sync_to_thread=False)}  # noqa: RUF012
    security = API_SECURITY

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
    async def invalidate(self, services: FromServices, user_id: NamedDependency[UserId]) -> None:
        integration = await services.invalidate_availability.for_user(user_id)
        about_integration(integration.id)
