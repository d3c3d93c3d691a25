"""What the HTTP edge needs from the composition root, and how a handler gets it.

Handlers ask for `services: FromServices`; nothing in this package builds a service itself.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Protocol, TypeAlias, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidationMarker

from adapters.settings import Settings
from application.availability.invalidate import InvalidateAvailability
from application.availability.read_busy_times import ReadBusyTimes
from application.availability.read_lists import ReadEventTypes, ReadSchedules
from application.availability.read_slots import ReadAvailability
from application.availability.usage_tracking import UsageTracker
from application.bookings.cancel_booking import CancelBooking
from application.bookings.create_booking import BookForInvitee
from application.bookings.create_scheduling_link import CreateSchedulingLink
from application.bookings.list_bookings import ListBookings, ShowBooking
from application.bookings.mark_no_show import MarkNoShow
from application.integrations.begin_connect import BeginConnect
from application.integrations.complete_connect import CompleteConnect
from application.integrations.request_disconnect import RequestDisconnect
from application.integrations.view_integration import ViewIntegration
from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.storage.breakers import Surface
from application.ports.storage.version_lookup import VersionLookup
from application.ports.telemetry import Telemetry
from application.privacy.erase_invitee import EraseInvitee
from application.security.identify_caller import IdentifyCaller
from application.tokens.refresh_tokens import RefreshTokens
from application.webhooks.ingest import IngestWebhook
from application.webhooks.list_events import ListWebhooks, ShowWebhook
from application.webhooks.replay import ReplayWebhook
from domain.circuit_breaker import BreakerView


class Storage(Protocol):
    """The store, as far as the readiness check needs it."""

    async def ping(self) -> None:
        """Return when the database answers. Raises StorageUnavailable."""
        ...

    async def pending_migrations(self) -> list[str]:
        """Return the migrations that the database lacks. Raises StorageUnavailable."""
        ...


class Engine(Jobs, Protocol):
    """The jobs, with the readiness check of the workflow engine behind them."""

    async def check(self) -> None:
        """Return when the engine answers. Raises JobsUnavailable."""
        ...


class RenderedTelemetry(Telemetry, Protocol):
    """The signals, and what Prometheus is told of them."""

    def render(self) -> bytes:
        """Return every metric in the Prometheus text format."""
        ...


class CircuitBreakers(Protocol):
    """The shared circuit breakers, as far as the readiness check shows them."""

    async def states(self) -> Mapping[Surface, BreakerView]:
        """Return where every surface of Calendly stands. Raises StorageUnavailable."""
        ...


class Services(Protocol):
    """The use cases that the HTTP edge calls; `adapters.bootstrap` builds them."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def storage(self) -> Storage: ...
    @property
    def jobs(self) -> Engine: ...
    @property
    def telemetry(self) -> RenderedTelemetry: ...
    @property
    def circuit_breakers(self) -> CircuitBreakers: ...
    @property
    def identify_caller(self) -> IdentifyCaller: ...
    @property
    def begin_connect(self) -> BeginConnect: ...
    @property
    def complete_connect(self) -> CompleteConnect: ...
    @property
    def view_integration(self) -> ViewIntegration: ...
    @property
    def refresh_tokens(self) -> RefreshTokens: ...
    @property
    def request_disconnect(self) -> RequestDisconnect: ...
    @property
    def read_event_types(self) -> ReadEventTypes: ...
    @property
    def read_availability(self) -> ReadAvailability: ...
    @property
    def read_busy_times(self) -> ReadBusyTimes: ...
    @property
    def read_schedules(self) -> ReadSchedules: ...
    @property
    def invalidate_availability(self) -> InvalidateAvailability: ...
    @property
    def versions(self) -> VersionLookup: ...
    @property
    def usage(self) -> UsageTracker: ...
    @property
    def ingest_webhook(self) -> IngestWebhook: ...
    @property
    def list_webhooks(self) -> ListWebhooks: ...
    @property
    def show_webhook(self) -> ShowWebhook: ...
    @property
    def replay_webhook(self) -> ReplayWebhook: ...
    @property
    def erase_invitee(self) -> EraseInvitee: ...
    @property
    def list_bookings(self) -> ListBookings: ...
    @property
    def show_booking(self) -> ShowBooking: ...
    @property
    def book_for_invitee(self) -> BookForInvitee: ...
    @property
    def cancel_booking(self) -> CancelBooking: ...
    @property
    def mark_no_show(self) -> MarkNoShow: ...
    @property
    def create_scheduling_link(self) -> CreateSchedulingLink: ...


ServicesFactory: TypeAlias = Callable[[Settings], AbstractAsyncContextManager[Services]]

# The services are a Protocol and come from ourselves: there is nothing to validate.
FromServices: TypeAlias = Annotated[NamedDependency[Services], SkipValidationMarker()]


def services_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """Return the services that the application's lifespan opened."""
    return cast(Services, connection.app.state.services)


def provide_services(state: State) -> Services:
    """Return the services to a handler."""
    return cast(Services, state.services)
