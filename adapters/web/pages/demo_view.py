"""The demo user's connection, slots and bookings, as the page shows them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from adapters.web.pages.demo_data import DemoData
from adapters.web.pages.local_times import Clockface, ago, clockface
from adapters.wiring.services import Services
from application.availability.read_slots import AvailabilityView, last_segment
from application.bookings.list_bookings import BookingView
from application.integrations.view_integration import IntegrationView
from domain.availability import EventType
from domain.cache_policy import Freshness
from domain.ids import UserId
from domain.integration import Status

MOST_DAYS = 7


_STANDING = {
    Freshness.FRESH: "fresh",
    Freshness.STALE: "being fetched again",
    Freshness.INVALIDATED: "something changed, being fetched again",
    Freshness.EXPIRED: "the last known, Calendly cannot be asked",
}


class SlotsView(msgspec.Struct, frozen=True):
    """The next open slots of one event type, a day at a time; `age` and `standing` in words."""

    days: tuple[tuple[str, tuple[str, ...]], ...]
    age: str
    standing: str
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
    """The demo user; `troubles` are the parts that could not be read, and why."""

    user: str
    connection: Connection | None
    troubles: tuple[str, ...]


async def demo_view(services: Services, user: str, wanted: str | None) -> DemoView:
    """Return what the page shows of the demo user.

    Args:
        services: the use cases.
        user: the team's own id of the demo user.
        wanted: last segment of the event type whose slots to show; else the first one's.

    """
    parts = DemoData(services)
    user_id = await parts.user(user)
    integration = await parts.integration(user_id) if user_id else None
    connection = None
    if user_id is not None and integration is not None:
        connection = await _connection(parts, user_id, integration, wanted)
    return DemoView(user=user, connection=connection, troubles=tuple(parts.troubles))


async def _connection(
    parts: DemoData, user_id: UserId, integration: IntegrationView, wanted: str | None
) -> Connection:
    face = clockface(integration.account.timezone)
    active = integration.status is Status.ACTIVE
    types = await parts.event_types(user_id) if active else ()
    chosen = _choose(types, wanted)
    slots = await parts.slots(user_id, chosen) if chosen else None
    needed = integration.action_required
    return Connection(
        status=integration.status,
        remedy=needed.remedy if needed else None,
        facts=_facts(integration, face),
        timezone=face.name,
        event_types=types,
        chosen=chosen,
        slots=_slots(slots, face, parts.now) if slots else None,
        upcoming=_rows(await parts.upcoming(user_id), face),
        recent=_rows(await parts.recent(user_id), face),
    )


def _choose(types: Sequence[EventType], wanted: str | None) -> EventType | None:
    named = {last_segment(each.uri): each for each in types}
    return named.get(wanted or "") or next(iter(types), None)


def _facts(view: IntegrationView, face: Clockface) -> tuple[tuple[str, str], ...]:
    def at(moment: datetime | None) -> str:
        return face.moment(moment) if moment else "not yet"

    return (
        ("Account", view.account.name),
        ("Times are in", face.name),
        ("Token expires", at(view.token_expires_at)),
        ("Last refreshed", at(view.last_refreshed_at)),
        ("Last synced", at(view.last_synced_at)),
        ("Webhook", view.webhook_state or "not yet"),
        ("Refresh breaker", view.breaker.state.replace("_", " ")),
    )


def _slots(view: AvailabilityView, face: Clockface, now: datetime) -> SlotsView:
    freshness = view.age.freshness
    return SlotsView(
        days=face.by_day(view.slots)[:MOST_DAYS],
        age=f"fetched {ago(view.age.fetched_at, now)}",
        standing=_STANDING.get(freshness, freshness),
        fresh=freshness is Freshness.FRESH,
    )


def _rows(views: Sequence[BookingView], face: Clockface) -> tuple[BookingRow, ...]:
    return tuple(_row(each, face) for each in views)


def _row(view: BookingView, face: Clockface) -> BookingRow:
    facts = view.booking.facts
    missed = facts.no_show is not None and facts.no_show.uri is not None
    return BookingRow(
        when=face.moment(facts.details.start),
        event_name=facts.details.event_name,
        invitee=facts.details.invitee.name,
        badge="no-show" if missed else facts.status,
    )
