"""The Litestar application.

Building it connects to nothing: services are opened when the server starts and closed when it
stops.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ASGIApp

from adapters.settings import Settings, SettingsError
from adapters.web.auth.demo_access import demo_faults
from adapters.web.auth.rate_limits import RateLimits
from adapters.web.caching.response_cache import ResponseCache
from adapters.web.controllers.audit import AuditController
from adapters.web.controllers.availability import AvailabilityController
from adapters.web.controllers.booking_commands import BookingCommandsController
from adapters.web.controllers.bookings import BookingsController
from adapters.web.controllers.connect import ConnectController
from adapters.web.controllers.cron import CronController
from adapters.web.controllers.demo import DemoController
from adapters.web.controllers.health import HealthController
from adapters.web.controllers.integration import IntegrationController
from adapters.web.controllers.invalidation import InvalidationController
from adapters.web.controllers.invitees import InviteesController
from adapters.web.controllers.metrics import metrics
from adapters.web.controllers.page import home, style
from adapters.web.controllers.refresh import RefreshController
from adapters.web.controllers.scheduling_links import SchedulingLinksController
from adapters.web.controllers.users import UsersController
from adapters.web.controllers.webhook_events import WebhookEventsController
from adapters.web.controllers.webhooks import webhooks_router
from adapters.web.middleware.availability_fast_path import AvailabilityFastPath
from adapters.web.middleware.head_requests import HeadAsGet
from adapters.web.middleware.one_spelling import OneSpelling
from adapters.web.middleware.read_turns import ReadTurns
from adapters.web.middleware.request_log import RequestLog
from adapters.web.middleware.uniform_requests import AsciiQuery, ReadableRequest
from adapters.web.middleware.webhook_fast_path import WebhookFastPath
from adapters.web.openapi.config import openapi_config
from adapters.web.pages.error_pages import error_response
from adapters.web.params.known_query import only_known_query
from adapters.web.params.services import ServicesFactory, provide_services

LARGEST_BODY = 256 * 1024  # bytes; a booking with long answers is a tenth of it


def build_app(settings: Settings, services_factory: ServicesFactory) -> Litestar:
    """Return the application; `services_factory` opens its services for as long as it runs.

    Raises:
        SettingsError: there is a demo user where others than this machine can reach it.

    """
    if faults := demo_faults(settings):
        raise SettingsError(faults)

    @asynccontextmanager
    async def services_opened(app: Litestar) -> AsyncIterator[None]:
        async with services_factory(settings) as services:
            app.state.services = services
            app.state.response_cache = ResponseCache()
            app.state.rate_limits = RateLimits(settings)
            yield

    app = Litestar(
        route_handlers=[
            ConnectController,
            IntegrationController,
            RefreshController,
            AvailabilityController,
            InvalidationController,
            BookingsController,
            BookingCommandsController,
            SchedulingLinksController,
            webhooks_router(settings.webhook_max_bytes),
            WebhookEventsController,
            InviteesController,
            AuditController,
            UsersController,
            CronController,
            HealthController,
            metrics,
            home,
            style,
            *([DemoController] if settings.demo_user else []),
        ],
        dependencies={"services": Provide(provide_services, sync_to_thread=False)},
        before_request=only_known_query,
        exception_handlers={Exception: error_response},
        lifespan=[services_opened],
        logging_config=None,
        openapi_config=openapi_config(settings),
        request_class=ReadableRequest,
        request_max_body_size=LARGEST_BODY,
    )
    # Litestar's middleware sees only requests that a route takes; the log must see all. The fast
    # path of availability logs its own responses.
    deliveries = WebhookFastPath(app.asgi_handler, app, settings.webhook_max_bytes)
    logged = RequestLog(AsciiQuery(HeadAsGet(deliveries)), https=settings.is_https)
    app.asgi_handler = OneSpelling(
        AvailabilityFastPath(cast(ASGIApp, ReadTurns(logged)), app), https=settings.is_https
    )
    return app
