"""Scheduled events as Calendly writes them, in answers and inside webhook payloads."""

from datetime import timedelta
from typing import Any

from sandbox.shapes.availability import stamp
from sandbox.state.bookings import Cancellation, Guest, ScheduledEvent
from sandbox.timestamps import micros
from sandbox.world import World

_CONFERENCES = {
    "google_conference": "google_meet",
    "zoom_conference": "zoom",
    "gotomeeting_conference": "gotomeeting",
    "microsoft_teams_conference": "microsoft_teams",
    "webex_conference": "webex",
}


def scheduled_event(world: World, record: ScheduledEvent) -> dict[str, Any]:
    """`GET /scheduled_events/{uuid}`; `cancellation` only when canceled."""
    body = {
        "calendar_event": {"external_id": record.calendar_id, "kind": "google"},
        "created_at": micros(record.created_at),
        "end_time": stamp(record.end),
        "event_guests": [_guest(guest) for guest in record.guests],
        "event_memberships": [_membership(world, record)],
        "event_type": world.uri("event_types", record.event_type.uuid),
        "invitees_counter": {
            "active": len(record.active_invitees),
            "limit": record.event_type.seats,
            "total": len(record.invitees),
        },
        "location": _location(world, record),
        "meeting_notes_html": None,
        "meeting_notes_plain": None,
        "name": record.event_type.name,
        "start_time": stamp(record.start),
        "status": record.status,
        "updated_at": micros(record.updated_at),
        "uri": world.uri("scheduled_events", record.uuid),
    }
    if record.cancellation is not None:
        body["cancellation"] = cancellation(record.cancellation)
    return body


def cancellation(record: Cancellation) -> dict[str, Any]:
    """The person that canceled, on an event, an invitee or the answer to a cancellation."""
    return {
        "canceled_by": record.canceled_by,
        "canceler_type": record.canceler_type,
        "created_at": micros(record.created_at),
        "reason": record.reason,
    }


def _membership(world: World, record: ScheduledEvent) -> dict[str, Any]:
    return {
        "buffered_end_time": stamp(record.end),
        "buffered_start_time": stamp(record.start),
        "user": world.uri("users", record.host.uuid),
        "user_email": record.host.email,
        "user_name": record.host.name,
    }


def _guest(record: Guest) -> dict[str, Any]:
    return {
        "created_at": micros(record.created_at),
        "email": record.email,
        "updated_at": micros(record.updated_at),
    }


def _location(world: World, record: ScheduledEvent) -> dict[str, Any] | None:
    """The event's location; a conference link may come later than the booking."""
    if record.location is None:
        return None
    conference = _CONFERENCES.get(record.location["type"])
    if conference is None:
        return record.location
    delay = timedelta(seconds=world.switches.join_url_delay)
    ready = world.clock.now() >= record.created_at + delay
    link = f"https://calendly.com/events/{record.uuid}/{conference}"
    body: dict[str, Any] = {
        "join_url": link if ready else None,
        "status": "pushed" if ready else "initiated",
        "type": record.location["type"],
    }
    if record.location["type"] != "google_conference":
        body["data"] = None
    return body
