"""Health, for orchestrators and for people."""

from typing import Any

from litestar import Controller, Request, Response, get

from adapters.web.http.error_cause import remember_cause
from adapters.web.openapi import examples
from adapters.web.openapi.operations import NO_SECURITY, answer
from adapters.web.params.services import FromServices
from adapters.web.readiness import readiness
from adapters.web.schemas.health import Alive, Readiness


class HealthController(Controller):
    """Live says that the process answers; ready says that what it needs is there."""

    path = "/health"
    tags = ("Health",)
    security = NO_SECURITY

    @get(
        "/live",
        operation_id="getLiveness",
        summary="Whether the process answers",
        responses={200: answer(examples.ALIVE, "It does")},
    )
    async def live(self) -> Alive:
        """Answer, touching nothing else: an outage of the database does not call for a restart."""
        return Alive()

    @get(
        "/ready",
        operation_id="getReadiness",
        summary="Whether requests can be served",
        responses={
            200: answer(examples.READY, "Everything is there"),
            503: answer(examples.NOT_READY, "Something is not; the checks say what"),
        },
    )
    async def ready(
        self, services: FromServices, request: Request[Any, Any, Any]
    ) -> Response[Readiness]:
        """Check everything that requests need."""
        state = await readiness(services)
        if not state.ready:
            missing = (each for each in state.checks if each.required and not each.ok)
            remember_cause(
                request.scope, "; ".join(f"{each.name}: {each.detail}" for each in missing)
            )
        return Response(state, status_code=200 if state.ready else 503)
