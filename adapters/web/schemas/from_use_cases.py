"""The use cases' views as the JSON of the API."""

from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import convert

from adapters.web.params.cursor import decode_name, encode_name
from adapters.web.schemas import availability as wire
from adapters.web.schemas import bookings as wire_bookings
from application.availability.read_busy_times import BusyTimesView
from application.availability.read_lists import EventTypesView, SchedulesView
from application.availability.read_slots import AvailabilityView
from application.bookings.list_bookings import BookingView
from domain.availability import EventType
from domain.local_days import LocalDay, local_days
from domain.secret import Secret

Wire = TypeVar("Wire")


def after_of(cursor: str | None) -> tuple[str, str] | None:
    """Return the position after which a page begins. Raises InvalidCursor."""
    return None if cursor is None else decode_name(cursor)


def event_types_answer(
    view: EventTypesView, limit: int, after: tuple[str, str] | None
) -> wire.EventTypes:
    """Return the page of at most `limit` event types, by name, that begins after a position.

    The position is a name and a URI, not a count. So event types that are added or removed
    between two pages cause no other one to be omitted or repeated.
    """
    ordered = sorted(view.items, key=_position)
    left = [each for each in ordered if after is None or _position(each) > after]
    page = left[:limit]
    return wire.EventTypes(
        items=tuple(_like(each, wire.EventType) for each in page),
        next_cursor=encode_name(_position(page[-1])) if len(left) > limit else None,
        cache=_like(view.age, wire.CacheAge),
    )


def availability_answer(view: AvailabilityView, zone: ZoneInfo | None) -> wire.Availability:
    """Return the open slots, with `zone` also by local day."""
    return wire.Availability(
        event_type=_like(view.event_type, wire.EventType),
        start=view.start,
        end=view.end,
        covered_until=view.covered_until,
        timezone=None if zone is None else zone.key,
        slots=tuple(wire.Slot(each.start, each.seats, each.scheduling_url) for each in view.slots),
        days=None if zone is None else tuple(map(_day, local_days(view.slots, zone))),
        cache=_like(view.age, wire.CacheAge),
    )


def busy_times_answer(view: BusyTimesView) -> wire.BusyTimes:
    return wire.BusyTimes(
        start=view.start,
        end=view.end,
        covered_until=view.covered_until,
        items=tuple(wire.BusyTime(each.kind, each.start, each.end) for each in view.items),
        cache=_like(view.age, wire.CacheAge),
    )


def schedules_answer(view: SchedulesView) -> wire.Schedules:
    items = tuple(_like(each, wire.Schedule) for each in view.items)
    return wire.Schedules(items=items, cache=_like(view.age, wire.CacheAge))


def booking_answer(view: BookingView) -> wire_bookings.Booking:
    """Return a booking without its links, which need no login to act."""
    return wire_bookings.Booking(**_booking(view))


def booking_with_links(view: BookingView) -> wire_bookings.BookingWithLinks:
    """Return a booking with its links, for a request for this booking only."""
    links = view.booking.facts.links
    return wire_bookings.BookingWithLinks(
        **_booking(view), cancel_url=_shown(links.cancel), reschedule_url=_shown(links.reschedule)
    )


def _booking(view: BookingView) -> dict[str, Any]:
    facts = view.booking.facts
    details = facts.details
    return {
        "id": view.booking.id,
        "status": facts.status.value,
        "event_name": details.event_name,
        "start": details.start,
        "end": details.end,
        "invitee": _like(details.invitee, wire_bookings.Invitee),
        "location": _like(details.location, wire_bookings.Location) if details.location else None,
        "no_show": facts.no_show is not None and facts.no_show.uri is not None,
        "cancellation": (
            _like(facts.cancellation, wire_bookings.Cancellation) if facts.cancellation else None
        ),
        "rescheduled_from": view.rescheduled_from,
        "rescheduled_to": view.rescheduled_to,
        "event_type": details.event_type_uri,
        "event_uri": facts.event_uri,
        "invitee_uri": facts.invitee_uri,
        "created_at": facts.created_at,
        "updated_at": details.updated_at,
    }


def _position(event_type: EventType) -> tuple[str, str]:
    return event_type.name.casefold(), event_type.uri


def _day(day: LocalDay) -> wire.LocalDay:
    return wire.LocalDay(
        date=day.date,
        slots=tuple(
            wire.LocalSlot(slot.start, local, slot.seats, slot.scheduling_url)
            for local, slot in day.slots
        ),
    )


def _like(value: object, shape: type[Wire]) -> Wire:
    """Return the fields of the same name in another shape."""
    return convert(value, shape, from_attributes=True)


def _shown(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
