"""The demo user's connection, slots and bookings, as the page shows them.

Each part is read by itself. A part that cannot be read becomes an error line, and the rest of the
page is still shown.
"""

from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from adapters.web.pages.local_times import LocalClock, ago, local_clock
from adapters.wiring.services import Services
from application.availability.read_slots import AvailabilityView, last_segment
from application.bookings.list_bookings import BookingView
from application.integrations.view_integration import IntegrationView
from application.ports.storage.bookings import BookingQuery
from domain.availability import EventType
from domain.cache_policy import Freshness
from domain.errors import IntegrationNotFound, SlotkeeperError
from domain.ids import UserId
from domain.integration import Status

AHEAD = timedelta(days=14)
BACK = timedelta(days=14)
MOST_UPCOMING = 20
MOST_RECENT = 100
MOST_DAYS = 7
_FRESHNESS = {
    Freshness.FRESH: "fresh",
    Freshness.STALE: "being refreshed",
    Freshness.INVALIDATED: "changed, being refreshed",
    Freshness.EXPIRED: "last known, Calendly is unavailable",
}

Value = TypeVar("Value")


class SlotsView(msgspec.Struct, frozen=True):
    """The next open slots of one event type by day; `age` and `freshness` as text."""

    days: tuple[tuple[str, tuple[str, ...]], ...]
    age: str
    freshness: str
    fresh: bool


class BookingRow(msgspec.Struct, frozen=True):
    """One booking; `badge` is its status, or `no-show`."""

    when: str
    event_name: str
    invitee: str
    badge: str


class Connection(msgspec.Struct, frozen=True):
    """A connected account; `facts` are label and value."""

    status: Status
    remedy: str | None
    facts: tuple[tuple[str, str], ...]
    timezone: str
    event_types: tuple[EventType, ...]
    chosen: EventType | None
    slots: SlotsView | None
    upcoming: tuple[BookingRow, ...]
    recent: tuple[BookingRow, ...]


class DemoView(msgspec.Struct, frozen=True):
    """The demo user; `errors` are the parts that could not be read, each with the reason."""

    user: str
    connection: Connection | None
    errors: tuple[str, ...]


async def demo_view(services: Services, user: str, wanted: str | None) -> DemoView:
    """Return the part of the page for the demo user, which is named by the team's own id.

    `wanted` is the last segment of the event type whose slots to show; the default is the first.
    """
    data = DemoData(services)
    user_id = await data.user(user)
    integration = await data.integration(user_id) if user_id else None
    connection = None
    if user_id is not None and integration is not None:
        connection = await _connection(data, user_id, integration, wanted)
    return DemoView(user=user, connection=connection, errors=tuple(data.errors))


class DemoData:
    """Reads the demo user's data at `now` (UTC) and collects the errors."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.now = services.clock.now()
        self.errors: list[str] = []

    async def user(self, name: str) -> UserId | None:
        return await self._read("User", self._services.identify_caller.named(name))

    async def integration(self, user_id: UserId) -> IntegrationView | None:
        return await self._read("Connection", self._services.view_integration(user_id))

    async def event_types(self, user_id: UserId) -> tuple[EventType, ...]:
        view = await self._read("Event types", self._services.read_event_types(user_id))
        return tuple(each for each in view.items if each.active) if view else ()

    async def slots(self, user_id: UserId, event_type: EventType) -> AvailabilityView | None:
        end = self.now + AHEAD
        reading = self._services.read_availability(user_id, event_type.uri, self.now, end)
        return await self._read("Open slots", reading)

    async def upcoming(self, user_id: UserId) -> tuple[BookingView, ...]:
        """Return the future bookings, the next one first."""
        query = BookingQuery(limit=MOST_UPCOMING, starts_from=self.now)
        page = await self._read("Bookings", self._services.list_bookings(user_id, query))
        return page.items if page else ()

    async def recent(self, user_id: UserId) -> tuple[BookingView, ...]:
        """Return the bookings of the last two weeks, the latest first."""
        query = BookingQuery(
            limit=MOST_RECENT, starts_from=self.now - BACK, starts_before=self.now
        )
        page = await self._read("Recent bookings", self._services.list_bookings(user_id, query))
        return tuple(reversed(page.items)) if page else ()

    async def _read(self, name: str, reading: Awaitable[Value]) -> Value | None:
        try:
            return await reading
        except IntegrationNotFound:
            return None
        except SlotkeeperError as error:
            self.errors.append(f"{name}: {error.message}")
            return None


async def _connection(
    data: DemoData, user_id: UserId, integration: IntegrationView, wanted: str | None
) -> Connection:
    clock = local_clock(integration.account.timezone)
    active = integration.status is Status.ACTIVE
    types = await data.event_types(user_id) if active else ()
    chosen = _choose(types, wanted)
    slots = await data.slots(user_id, chosen) if chosen else None
    action = integration.action_required
    return Connection(
        status=integration.status,
        remedy=action.remedy if action else None,
        facts=_facts(integration, clock),
        timezone=clock.name,
        event_types=types,
        chosen=chosen,
        slots=_slots(slots, clock, data.now) if slots else None,
        upcoming=tuple(_row(each, clock) for each in await data.upcoming(user_id)),
        recent=tuple(_row(each, clock) for each in await data.recent(user_id)),
    )


def _choose(types: Sequence[EventType], wanted: str | None) -> EventType | None:
    by_name = {last_segment(each.uri): each for each in types}
    return by_name.get(wanted or "") or next(iter(types), None)


def _facts(view: IntegrationView, clock: LocalClock) -> tuple[tuple[str, str], ...]:
    def at(moment: datetime | None) -> str:
        return clock.moment(moment) if moment else "not yet"

    return (
        ("Account", view.account.name),
        ("Times are in", clock.name),
        ("Token expires", at(view.token_expires_at)),
        ("Last refreshed", at(view.last_refreshed_at)),
        ("Last synced", at(view.last_synced_at)),
        ("Webhook", view.webhook_state or "not yet"),
        ("Refresh breaker", view.breaker.state.replace("_", " ")),
    )


def _slots(view: AvailabilityView, clock: LocalClock, now: datetime) -> SlotsView:
    freshness = view.age.freshness
    return SlotsView(
        days=clock.by_day(view.slots)[:MOST_DAYS],
        age=f"fetched {ago(view.age.fetched_at, now)}",
        freshness=_FRESHNESS.get(freshness, freshness),
        fresh=freshness is Freshness.FRESH,
    )


def _row(view: BookingView, clock: LocalClock) -> BookingRow:
    facts = view.booking.facts
    missed = facts.no_show is not None and facts.no_show.uri is not None
    return BookingRow(
        when=clock.moment(facts.details.start),
        event_name=facts.details.event_name,
        invitee=facts.details.invitee.name,
        badge="no-show" if missed else facts.status,
    )
