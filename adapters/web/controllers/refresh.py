"""Refreshing one user's tokens now, by the way that the schedule and a 401 take as well."""

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency, Provide

from adapters.web.auth.caller import identified, provide_user_id
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi import examples
from adapters.web.openapi.operations import API_SECURITY, CALLER, answer, answers
from adapters.web.params.services import FromServices
from adapters.web.schemas.integration import Integration
from domain import errors
from domain.ids import UserId


class RefreshController(Controller):
    path = "/api/calendly/integration/refresh"
    tags = ("Integration",)
    guards = (identified,)
    dependencies = {"user_id": Provide(provide_user_id, sync_to_thread=False)}  # noqa: RUF012
    security = API_SECURITY

    @post(
        operation_id="refreshIntegration",
        summary="Refresh a user's tokens now",
        description=(
            "For operators: the tokens are kept alive without this. Waits for a refresh that is "
            "under way; concurrent calls send one token request."
        ),
        status_code=200,
        responses=answers(
            {200: answer(examples.INTEGRATION, "The connection, with tokens newer than before")},
            *CALLER,
            errors.IntegrationNotFound,
            errors.ReauthRequired,
            errors.CircuitOpen,
            errors.RefreshInProgress,
            errors.CalendlyThrottled,
            errors.CalendlyUnavailable,
        ),
    )
    async def refresh(
        self, services: FromServices, user_id: NamedDependency[UserId]
    ) -> Integration:
        before = await services.view_integration(user_id)
        about_integration(before.id)
        await services.refresh_tokens.run(before.id)
        view = await services.view_integration(user_id)
        return msgspec.convert(view, Integration, from_attributes=True)
