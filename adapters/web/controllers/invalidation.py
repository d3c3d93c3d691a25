"""Calling what is cached of one user overtaken, by hand."""

from litestar import Controller, post
from litestar.di import NamedDependency, Provide

from adapters.web.auth.caller import identified, provide_user_id
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi.operations import API_SECURITY, CALLER, answers, empty
from adapters.web.params.services import FromServices
from domain import errors
from domain.ids import UserId


class InvalidationController(Controller):
    """The cached availability of the user that the caller names."""

    path = "/api/calendly/availability/invalidate"
    tags = ("Availability",)
    guards = (identified,)
    dependencies = {"user_id": Provide(provide_user_id, sync_to_thread=False)}  # noqa: RUF012
    security = API_SECURITY

    @post(
        operation_id="invalidateAvailability",
        summary="Call all that is cached of a user overtaken",
        description=(
            "For changes at Calendly that no webhook tells of, such as other working hours. "
            "From this answer on event types, slots, busy times and schedules are answered as "
            "`invalidated`, each with one fetch behind it, until they are fetched anew; what is "
            "read the job that syncs fetches at its next run. Who must not see the last known "
            "adds `max_age=0` to the next read. Safe to repeat."
        ),
        status_code=204,
        responses=answers(
            {204: empty("Everything that was cached counts as overtaken")},
            *CALLER,
            errors.IntegrationNotFound,
        ),
    )
    async def invalidate(self, services: FromServices, user_id: NamedDependency[UserId]) -> None:
        """Invalidate."""
        integration = await services.invalidate_availability.for_user(user_id)
        about_integration(integration.id)
