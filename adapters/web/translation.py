"""From the use cases' values to what goes over the wire."""

from typing import Any, TypeVar

from msgspec import convert

from adapters.web.schemas import availability as wire
from adapters.web.schemas import bookings as wire_bookings
from application.booking_views import BookingView
from application.read_availability import AvailabilityView
from application.read_event_types import EventTypesView
from domain.availability import EventType
from domain.secret import Secret

Wire = TypeVar("Wire")


def event_types_answer(view: EventTypesView) -> wire.EventTypes:
    """Return the event types as an answer."""
    return wire.EventTypes(
        items=tuple(map(_event_type, view.items)), cache=_like(view.age, wire.CacheAge)
    )


def availability_answer(view: AvailabilityView) -> wire.Availability:
    """Return the open slots as an answer."""
    return wire.Availability(
        event_type=_event_type(view.event_type),
        start=view.start,
        end=view.end,
        covered_until=view.covered_until,
        slots=tuple(wire.Slot(each.start, each.seats, each.scheduling_url) for each in view.slots),
        cache=_like(view.age, wire.CacheAge),
    )


def booking_answer(view: BookingView) -> wire_bookings.Booking:
    """Return a booking as lists show it: without the links that act without a login."""
    return wire_bookings.Booking(**_booking(view))


def booking_with_links(view: BookingView) -> wire_bookings.BookingWithLinks:
    """Return a booking with its links, for the one who asks for just this booking."""
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


def _event_type(event_type: EventType) -> wire.EventType:
    return _like(event_type, wire.EventType)


def _like(value: object, shape: type[Wire]) -> Wire:
    """Return the fields of the same name in another shape."""
    return convert(value, shape, from_attributes=True)


def _shown(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
