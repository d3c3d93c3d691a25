"""Refreshing one user's tokens now, by the way that the schedule and a 401 take as well."""

import msgspec
from litestar import post

from adapters.web.controllers.caller_controllers import CallersUser, UserController
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi import examples
from adapters.web.openapi.operations import CALLER, answer, answers
from adapters.web.params.services import FromServices
from adapters.web.schemas.integration import Integration
from domain import errors


class RefreshController(UserController):
    path = "/api/calendly/integration/refresh"
    tags = ("Integration",)

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
    async def refresh(self, services: FromServices, user_id: CallersUser) -> Integration:
        before = await services.view_integration(user_id)
        about_integration(before.id)
        await services.refresh_tokens.run(before.id)
        view = await services.view_integration(user_id)
        return msgspec.convert(view, Integration, from_attributes=True)
