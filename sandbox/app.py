"""Puts one sandbox together: routes, middleware and the delivery task.

The order of the middleware matters: requests of other sites are refused first, then faults, then authentication and limits, then
tags of reads, then routes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.types import ASGIApp

from sandbox.api import (
    accounts,
    availability,
    booking,
    event_types,
    invitees,
    sample_data,
    scheduled_events,
    webhook_subscriptions,
)
from sandbox.api.conditional import ConditionalReads
from sandbox.api.errors import ApiError, internal_error, invalid_argument, not_found
from sandbox.api.gate import ApiGate
from sandbox.control.errors import ControlError
from sandbox.control.routes import CONTROL_ROUTES
from sandbox.deliveries.dispatcher import Dispatcher
from sandbox.faults.middleware import FaultInjection
from sandbox.front_page import front_page, readme
from sandbox.oauth import authorize, token
from sandbox.oauth.errors import OAuthError
from sandbox.own_site import OwnSite
from sandbox.world import World

_OAUTH_ROUTES = [
    authorize.show_consent,
    authorize.decide,
    token.token,
    token.revoke,
    token.introspect,
]
_API_ROUTES = [
    accounts.read_me,
    accounts.read_user,
    accounts.read_organization,
    accounts.list_memberships,
    accounts.read_membership,
    event_types.list_event_types,
    event_types.read_event_type,
    event_types.create_link,
    availability.list_available_times,
    availability.list_busy_times,
    availability.list_schedules,
    availability.read_schedule,
    scheduled_events.list_events,
    scheduled_events.read_event,
    scheduled_events.cancel_event,
    invitees.list_invitees,
    invitees.read_invitee,
    invitees.create_no_show,
    invitees.read_no_show,
    invitees.delete_no_show,
    booking.create_invitee,
    webhook_subscriptions.create_subscription,
    webhook_subscriptions.list_subscriptions,
    webhook_subscriptions.read_subscription,
    webhook_subscriptions.delete_subscription,
    sample_data.sample_webhook_data,
]
AnyRequest = Request[Any, Any, Any]


def create_app(world: World) -> ASGIApp:
    """The whole sandbox as one ASGI application; deliveries run in its lifespan."""

    @asynccontextmanager
    async def delivering(_: Litestar) -> AsyncIterator[None]:
        task = asyncio.create_task(Dispatcher(world).run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    routes = Litestar(
        route_handlers=[front_page, readme, *_OAUTH_ROUTES, *_API_ROUTES, *CONTROL_ROUTES],
        dependencies={"world": Provide(lambda: world, sync_to_thread=False)},
        exception_handlers={
            ApiError: _api_error,
            OAuthError: _oauth_error,
            ControlError: _control_error,
            HTTPException: _http_error,
        },
        lifespan=[delivering],
        openapi_config=None,
        logging_config=None,
    )
    served = FaultInjection(ApiGate(ConditionalReads(routes, world), world), world)
    return cast(ASGIApp, OwnSite(served, world.settings.hosts))


def _api_error(_: AnyRequest, error: ApiError) -> Response[Any]:
    return Response(error.body, status_code=error.status)


def _oauth_error(_: AnyRequest, error: OAuthError) -> Response[Any]:
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:  # noqa: PLR2004 - RFC 6749 section 5.2
        headers["WWW-Authenticate"] = 'Bearer realm="Calendly", error="invalid_client"'
    return Response(error.as_json(), status_code=error.status, headers=headers)


def _control_error(_: AnyRequest, error: ControlError) -> Response[Any]:
    return Response({"error": str(error)}, status_code=error.status)


def _http_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """The framework's own refusals, said in Calendly's words."""
    if request.url.path.startswith("/_control"):
        told = {"error": error.detail, "extra": getattr(error, "extra", None)}
        return Response(told, status_code=error.status_code)
    return _calendly_error(error)


def _calendly_error(error: HTTPException) -> Response[Any]:
    if isinstance(error, NotFoundException | MethodNotAllowedException):
        told = not_found()
    elif error.status_code < 500:  # noqa: PLR2004 - the caller's fault
        told = invalid_argument()
    else:
        told = internal_error()
    return Response(told.body, status_code=told.status)
