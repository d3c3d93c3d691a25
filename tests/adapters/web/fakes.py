"""Fakes of the use cases: small, stateful, and able to fail as a test arranges."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import msgspec

from adapters.settings import Settings
from adapters.system.clock_sync import ClockSkew
from application.bookings.create_booking import BookingInput
from application.bookings.create_scheduling_link import SchedulingLink
from application.bookings.idempotency import CommandResult
from application.bookings.list_bookings import BookingsPage, BookingView
from application.integrations.begin_connect import StartedConnect
from application.integrations.complete_connect import Callback, ConnectOutcome, HeldCode
from application.integrations.connect_account import ConnectedAccount
from application.integrations.view_integration import IntegrationView
from application.ports.storage.bookings import BookingQuery
from application.ports.storage.breakers import Surface
from application.security.identify_caller import Credentials
from application.webhooks.delivery import IngestResult
from domain.api_key import ALL, KeyScope
from domain.audit import Actor
from domain.availability import EventType
from domain.booking import BookingStatus, NoShow
from domain.circuit_breaker import BreakerState, BreakerView
from domain.errors import (
    ApiKeyInvalid,
    BookingNotFound,
    ConnectHandleInvalid,
    ConnectStateInvalid,
    ConnectUnconfirmable,
    EventTypeNotFound,
    IdempotencyKeyReused,
    IntegrationNotFound,
    InvalidInput,
    KeyScopeMissing,
    MalformedWebhook,
    SignatureRejected,
    StorageUnavailable,
    SubscriptionNotFound,
)
from domain.ids import BookingId, IntegrationId, UserId
from domain.integration import Recovery
from domain.secret import Secret
from domain.signature import Verdict, verify
from tests.adapters.web import scenario as story
from tests.adapters.web.cache_fakes import (
    FakeCache,
    FakeInvalidation,
    FakeUsageTracker,
    FakeVersionLookup,
)
from tests.adapters.web.failures import Failures
from tests.adapters.web.operators import operators_of
from tests.fakes.jobs import FakeJobs
from tests.fakes.storage import FakeStorage


class StillClock:
    """A clock that does not run until it is set."""

    def __init__(self) -> None:
        self.time = story.NOW

    def now(self) -> datetime:
        """Return the story's now, or what a test has set."""
        return self.time


class FakeDatabase:
    """A database that can be down, or lack migrations."""

    def __init__(self) -> None:
        self.down = False
        self.missing: list[str] = []

    async def ping(self) -> None:
        """Answer, unless the database is down."""
        if self.down:
            raise StorageUnavailable("PostgreSQL cannot be reached at DATABASE_URL.")

    async def pending_migrations(self) -> list[str]:
        """Return what is missing."""
        await self.ping()
        return self.missing


class FakeTelemetry:
    """Counts refused deliveries, and reads of the cache."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.reads: list[tuple[str, str]] = []

    def availability_read(self, part: str, freshness: str) -> None:
        """Count a read."""
        self.reads.append((part, freshness))

    def webhook_received(self, result: str) -> None:
        """Count a delivery."""
        self.received.append(result)

    def render(self) -> bytes:
        """Return the count as Prometheus reads it."""
        return f"webhooks_received_total {len(self.received)}\n".encode()


class FakeBreakers:
    """Breakers in the states that a test sets, in a store that can be down."""

    def __init__(self, storage: FakeDatabase) -> None:
        self.states_now = dict.fromkeys(Surface, BreakerView(BreakerState.CLOSED, 0, None))
        self._storage = storage

    async def states(self) -> dict[Surface, BreakerView]:
        """Return them."""
        await self._storage.ping()
        return self.states_now


KEY_ID = UUID(int=7)


class FakeCallers:
    """One good API key with some scopes, and users by the team's own id."""

    def __init__(self) -> None:
        self.users: dict[str, UserId] = {}
        self.scopes = ALL

    async def __call__(
        self,
        credentials: Credentials,
        external_id: str | None,
        needs: frozenset[KeyScope],
        *,
        creates: bool = False,
    ) -> tuple[UserId, UUID]:
        """Return the user, created if wanted, and the id of the key."""
        await self.authenticate(credentials, needs)
        if not external_id:
            raise InvalidInput("Name the user you act for in the X-User-Id header.")
        if creates:
            return await self.named(external_id), KEY_ID
        return self.users.get(external_id, UserId(UUID(int=len(self.users) + 1))), KEY_ID

    async def authenticate(self, credentials: Credentials, needs: frozenset[KeyScope]) -> UUID:
        """Check the key alone."""
        if credentials.api_key != story.API_KEY:
            raise ApiKeyInvalid("Send a live API key as `Authorization: Bearer <key>`.")
        if not needs & self.scopes:
            raise KeyScopeMissing("The API key lacks a scope.")
        return KEY_ID

    async def named(self, external_id: str) -> UserId:
        """Return the user, created when first seen."""
        number = len(self.users) + 1
        return self.users.setdefault(external_id, UserId(UUID(int=number)))


@dataclass
class Flow:
    """A connect flow under way."""

    user_id: UserId
    return_to: str | None
    cookie: str | None
    replace: bool = False


class FakeConnect:
    """Flows by state, each completed once."""

    def __init__(self, failures: Failures) -> None:
        self.flows: dict[str, Flow] = {}
        self.connected: set[UserId] = set()
        self.completed: dict[str, Flow] = {}
        self.held: dict[str, Flow] = {}
        self.confirms = True
        self.recovery: Recovery | None = None
        self.replaced: IntegrationId | None = None
        self._failures = failures

    async def begin(
        self,
        user_id: UserId,
        *,
        return_to: str | None = None,
        bind_browser: bool,
        replace: bool = False,
    ) -> StartedConnect:
        """Begin a flow."""
        state = f"state-{len(self.flows) + 1}"
        cookie = f"browser-{state}" if bind_browser else None
        self.flows[state] = Flow(user_id, return_to, cookie, replace)
        return StartedConnect(
            authorize_url=f"https://auth.calendly.com/oauth/authorize?state={state}",
            state=state,
            browser_token=Secret(cookie) if cookie else None,
            expires_at=story.NOW + timedelta(minutes=10),
        )

    async def complete(self, callback: Callback) -> ConnectOutcome:
        """Complete a flow, or hold its code."""
        state = callback.state or ""
        again = self.completed.get(state)
        flow = again or self.flows.pop(state, None)
        same_browser = flow is not None and flow.cookie in {None, callback.browser_token}
        if flow is None or not same_browser or callback.user_id not in {None, flow.user_id}:
            raise ConnectStateInvalid("This connect link was used already; start again.")
        if again is not None:
            return ConnectOutcome(again.return_to, self._account())
        failure = self._failures.planned.pop("complete_connect", None)
        if failure is not None:
            return ConnectOutcome(flow.return_to, error=failure)  # type: ignore[arg-type]
        assert callback.code is not None or callback.error is not None
        if self.confirms and flow.cookie is None and callback.user_id is None:
            return self._hold(state, flow, callback)
        self.connected.add(flow.user_id)
        self.completed[state] = flow
        return ConnectOutcome(flow.return_to, self._account())

    def _hold(self, state: str, flow: Flow, callback: Callback) -> ConnectOutcome:
        if flow.return_to is None and not callback.takes_handle:
            return ConnectOutcome(error=ConnectUnconfirmable("Begin with return_to."))
        handle = f"handle-of-{state}"
        self.held[handle] = flow
        until = story.NOW + timedelta(minutes=2)
        return ConnectOutcome(flow.return_to, held=HeldCode(Secret(handle), until))

    async def confirm(self, user_id: UserId, handle: str) -> ConnectedAccount:
        """Confirm a flow."""
        self._failures.check("confirm_connect")
        flow = self.held.pop(handle, None)
        if flow is None or flow.user_id != user_id:
            raise ConnectHandleInvalid("This connect flow was begun by another user.")
        self.connected.add(user_id)
        return self._account()

    def _account(self) -> ConnectedAccount:
        return ConnectedAccount(
            IntegrationId(story.INTEGRATION),
            story.integration().account,
            recovery=self.recovery,
            replaced=self.replaced,
        )


class FakeHost:
    """Integrations by user, and what all of them offer."""

    def __init__(self, failures: Failures) -> None:
        self.integrations: dict[UserId, IntegrationView] = {}
        self.event_types: tuple[EventType, ...] = (story.event_type(),)
        self._failures = failures

    async def view(self, user_id: UserId) -> IntegrationView:
        """Return the user's integration."""
        self._failures.check("view_integration")
        if user_id not in self.integrations:
            raise IntegrationNotFound("No Calendly account is connected.")
        return self.integrations[user_id]

    async def refresh(self, integration_id: IntegrationId) -> None:
        """Give the integration tokens that live two hours from now."""
        self._failures.check("refresh_tokens")
        for user_id, view in self.integrations.items():
            if view.id == integration_id:
                expires_at = story.NOW + timedelta(hours=2)
                self.integrations[user_id] = msgspec.structs.replace(
                    view, token_expires_at=expires_at
                )

    async def disconnect(self, user_id: UserId, _by: Actor) -> bool:
        """Forget the user's integration."""
        self._failures.check("request_disconnect")
        return self.integrations.pop(user_id, None) is not None


class FakeLinks:
    """Single-use links, numbered."""

    def __init__(self, host: FakeHost, failures: Failures) -> None:
        self.made = 0
        self._host = host
        self._failures = failures

    async def create(self, user_id: UserId, event_type: str) -> SchedulingLink:
        """Make a link to one of a connected user's event types."""
        self._failures.check("create_scheduling_link")
        integration = await self._host.view(user_id)
        for each in self._host.event_types:
            if event_type in {each.uri, each.uri.rsplit("/", 1)[-1]}:
                self.made += 1
                url = f"https://calendly.com/d/link-{self.made}/intro"
                return SchedulingLink(integration.id, each.uri, url)
        raise EventTypeNotFound("This user has no active event type of that name.")


class FakeBookings:
    """Bookings, and acting requests by key."""

    def __init__(self, failures: Failures) -> None:
        self.stored: dict[BookingId, BookingView] = {}
        self.acted: list[str] = []
        self.wanted: BookingInput | None = None
        self._keys: dict[tuple[UserId, str], tuple[object, BookingId]] = {}
        self._failures = failures

    def add(self, view: BookingView) -> BookingView:
        """Store a booking."""
        self.stored[view.booking.id] = view
        return view

    async def page(self, user_id: UserId, query: BookingQuery) -> BookingsPage:
        """Return a keyset page."""
        self._failures.check("list_bookings")
        found = sorted(
            (each for each in self.stored.values() if _fits(each, user_id, query)), key=_position
        )
        items = tuple(found[: query.limit])
        return BookingsPage(items, _position(items[-1]) if len(found) > query.limit else None)

    async def show(self, user_id: UserId, booking_id: BookingId) -> BookingView:
        """Return a user's booking."""
        view = self.stored.get(booking_id)
        if view is None or view.booking.user_id != user_id:
            raise BookingNotFound("This user has no booking with that id.")
        return view

    async def book(self, user_id: UserId, key: str, wanted: BookingInput) -> CommandResult:
        """Book once a key."""
        self._failures.check("book_for_invitee")
        known = self._recall(user_id, key, ("book", wanted))
        if known is not None:
            return CommandResult(self.stored[known], repeated=True)
        self.wanted = wanted
        self.acted.append("book")
        view = self.add(story.booking(len(self.stored) + 1, user_id, name=wanted.name))
        self._keys[user_id, key] = (("book", wanted), view.booking.id)
        return CommandResult(view, repeated=False)

    async def cancel(
        self, user_id: UserId, key: str, booking_id: BookingId, reason: str | None
    ) -> CommandResult:
        """Cancel once a key."""
        self._failures.check("cancel_booking")
        return await self._act(
            user_id, key, booking_id, ("cancel", reason), status=BookingStatus.CANCELED
        )

    async def mark(
        self, user_id: UserId, key: str, booking_id: BookingId, *, no_show: bool
    ) -> CommandResult:
        """Set or clear the no-show mark once a key."""
        mark = NoShow(at=story.NOW, uri="https://api.calendly.com/no_shows/1" if no_show else None)
        return await self._act(user_id, key, booking_id, ("mark", no_show), no_show=mark)

    async def _act(
        self,
        user_id: UserId,
        key: str,
        booking_id: BookingId,
        content: tuple[str, object],
        **changes: object,
    ) -> CommandResult:
        view = await self.show(user_id, booking_id)
        if self._recall(user_id, key, content) is not None:
            return CommandResult(self.stored[booking_id], repeated=True)
        facts = msgspec.structs.replace(view.booking.facts, **changes)
        booking = msgspec.structs.replace(view.booking, facts=facts)
        self.acted.append(content[0])
        self._keys[user_id, key] = (content, booking_id)
        return CommandResult(self.add(BookingView(booking)), repeated=False)

    def _recall(self, user_id: UserId, key: str, content: object) -> BookingId | None:
        known = self._keys.get((user_id, key))
        if known is not None and known[0] != content:
            raise IdempotencyKeyReused("This Idempotency-Key came with another request.")
        return known[1] if known else None


def _fits(view: BookingView, user_id: UserId, query: BookingQuery) -> bool:
    facts, start = view.booking.facts, view.booking.facts.details.start
    return (
        view.booking.user_id == user_id
        and (not query.statuses or facts.status in query.statuses)
        and (query.starts_from is None or start >= query.starts_from)
        and (query.starts_before is None or start < query.starts_before)
        and (query.after is None or _position(view) > query.after)
    )


def _position(view: BookingView) -> tuple[datetime, BookingId]:
    return view.booking.facts.details.start, view.booking.id


class FakeInbox:
    """Deliveries by body, behind the real signature check."""

    def __init__(self, settings: Settings, telemetry: FakeTelemetry, failures: Failures) -> None:
        self.stored: list[bytes] = []
        self._settings = settings
        self._telemetry = telemetry
        self._failures = failures

    async def __call__(
        self, body: bytes, signature: str | None, subscription_key: str | None
    ) -> IngestResult:
        """Take in a delivery."""
        self._failures.check("ingest_webhook")
        keys = self._settings.calendly_webhook_signing_key
        verdict = verify(body, signature, keys, story.NOW, self._settings.webhook_tolerance)
        if verdict is not Verdict.VALID:
            self._telemetry.webhook_received(verdict)
            raise SignatureRejected(f"The signature is {verdict}.", reason=verdict)
        if subscription_key not in {None, "known"}:
            raise SubscriptionNotFound("No integration has this webhook subscription key.")
        try:
            msgspec.json.decode(body)
        except msgspec.DecodeError:
            raise MalformedWebhook("The body is not JSON.") from None
        if body in self.stored:
            return IngestResult("duplicate")
        self.stored.append(body)
        return IngestResult("stored", applied=True)


class StandInServices:
    """Everything that the HTTP edge calls, under the names it calls it by."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.failures = Failures()
        self.clock = StillClock()
        self.clock_skew = ClockSkew(timedelta())
        self.storage = self.probe_storage = FakeDatabase()
        self.jobs = FakeJobs()
        self.telemetry = FakeTelemetry()
        self.circuit_breakers = FakeBreakers(self.storage)
        self.identify_caller = FakeCallers()
        self.connect = FakeConnect(self.failures)
        self.begin_connect = self.connect.begin
        self.complete_connect = self.connect.complete
        self.confirm_connect = self.connect.confirm
        self.host = FakeHost(self.failures)
        self.view_integration = self.host.view
        self.refresh_tokens = SimpleNamespace(run=self.host.refresh)
        self.request_disconnect = self.host.disconnect
        self.cache = FakeCache(self.host, self.storage, self.clock, self.failures)
        self.read_event_types = self.cache.read_event_types
        self.read_availability = self.cache.read_availability
        self.read_busy_times = self.cache.read_busy_times
        self.read_schedules = self.cache.read_schedules
        self.invalidate_availability = FakeInvalidation(self.cache, self.host)
        self.versions = FakeVersionLookup(self.cache, self.storage)
        self.usage = FakeUsageTracker()
        self.key_usage = SimpleNamespace(note=lambda _key_id, _now: None)
        self.links = FakeLinks(self.host, self.failures)
        self.create_scheduling_link = self.links.create
        self.bookings = FakeBookings(self.failures)
        self.kept = FakeStorage()
        self.operators = operators_of(self.kept, self.jobs)
        self.list_webhooks = self.operators.list_webhooks
        self.show_webhook = self.operators.show_webhook
        self.replay_webhook = self.operators.replay_webhook
        self.erase_invitee = self.operators.erase_invitee
        self.erase_user = self.operators.erase_user
        self.audit = self.operators.audit
        self.list_bookings = self.bookings.page
        self.show_booking = self.bookings.show
        self.book_for_invitee = self.bookings.book
        self.cancel_booking = self.bookings.cancel
        self.mark_no_show = self.bookings.mark
        self.ingest_webhook = FakeInbox(settings, self.telemetry, self.failures)

    def fail_next(self, use_case: str, error: Exception) -> None:
        """Let the next call of a use case end with an error."""
        self.failures.planned[use_case] = error
