"""One user's link to Calendly: look at it, end it."""

import msgspec
from litestar import Response, delete, get

from adapters.web.controllers.caller_controllers import CallersUser, Program, UserController
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi import examples
from adapters.web.openapi.operations import CALLER, answer, answers, empty
from adapters.web.params.services import FromServices
from adapters.web.schemas.integration import Disconnecting, Integration
from domain import errors


class IntegrationController(UserController):
    path = "/api/calendly/integration"
    tags = ("Integration",)

    @get(
        operation_id="getIntegration",
        summary="The state of a user's connection",
        responses=answers(
            {200: answer(examples.INTEGRATION, "The connection")},
            *CALLER,
            errors.IntegrationNotFound,
        ),
    )
    async def show(self, services: FromServices, user_id: CallersUser) -> Integration:
        view = await services.view_integration(user_id)
        about_integration(view.id)
        return msgspec.convert(view, Integration, from_attributes=True)

    @delete(
        operation_id="deleteIntegration",
        summary="Disconnect a user's account",
        description=(
            "Stops all use immediately; the subscription is then removed, the tokens revoked and "
            "everything erased by a durable job, even if Calendly is down now. Safe to repeat."
        ),
        status_code=202,
        responses=answers(
            {
                202: answer(examples.DISCONNECTING, "Being disconnected"),
                204: empty("There was nothing to disconnect"),
            },
            *CALLER,
            errors.JobsUnavailable,
        ),
    )
    async def disconnect(
        self, services: FromServices, user_id: CallersUser, program: Program
    ) -> Response[Disconnecting | None]:
        if await services.request_disconnect(user_id, program):
            return Response(Disconnecting(status="disconnecting"), status_code=202)
        return Response(None, status_code=204)
