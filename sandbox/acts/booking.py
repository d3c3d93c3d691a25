"""An invitee books: on the booking page, or through the Scheduling API.

The slot is looked at again at this very moment; two bookings of one seat cannot both succeed.
"""

from typing import Any

import msgspec

from sandbox import ids
from sandbox.deliveries.announcements import announce
from sandbox.shapes.invitees import invitee_payload
from sandbox.state.bookings import TRACKING_KEYS, Guest, Invitee, ScheduledEvent
from sandbox.state.event_types import EventType
from sandbox.world import World


class SlotTakenError(Exception):
    """The start is not, or no longer, an open slot."""


class Booker(msgspec.Struct, frozen=True, kw_only=True):
    """The data that an invitee gives about themselves and the meeting."""

    name: str
    email: str
    first_name: str | None = None
    last_name: str | None = None
    timezone: str | None = "Europe/Berlin"
    text_reminder_number: str | None = None
    answers: list[dict[str, Any]] = msgspec.field(default_factory=list)
    tracking: dict[str, str | None] = msgspec.field(default_factory=dict)
    guests: tuple[str, ...] = ()
    location: dict[str, Any] | None = None
    method: str | None = None


def book(world: World, event_type: EventType, start: int, booker: Booker) -> Invitee:
    """Book `start` (UNIX seconds) and announce `invitee.created`.

    Raises SlotTakenError when the start is not an open slot now.
    """
    invitee = place(world, event_type, start, booker)
    announce_created(world, invitee)
    return invitee


def place(
    world: World,
    event_type: EventType,
    start: int,
    booker: Booker,
    calendar_id: str | None = None,
) -> Invitee:
    """Make the invitee and its event, or a seat in an existing group event; send no webhook."""
    if not any(slot.start == start for slot in world.diary.slots(event_type, start, start + 1)):
        raise SlotTakenError
    now = world.clock.now()
    event = _joined(world, event_type, start) or _new_event(
        world, event_type, start, booker, calendar_id
    )
    invitee = Invitee(
        uuid=ids.fresh_id(world.switches.id_style),
        event=event,
        email=booker.email,
        name=booker.name,
        first_name=booker.first_name,
        last_name=booker.last_name,
        timezone=booker.timezone,
        created_at=now,
        updated_at=now,
        answers=booker.answers,
        tracking={key: booker.tracking.get(key) for key in TRACKING_KEYS},
        text_reminder_number=booker.text_reminder_number,
        scheduling_method=booker.method,
    )
    event.guests.extend(Guest(email, now, now) for email in booker.guests)
    event.updated_at = now
    world.bookings.add(invitee)
    for email in (booker.email, *booker.guests):
        world.issued.invitee_emails[email] = None
    return invitee


def announce_created(world: World, invitee: Invitee) -> None:
    """Send `invitee.created`."""
    host = invitee.event.host
    announce(world, "invitee.created", host, invitee_payload(world, invitee))


def _joined(world: World, event_type: EventType, start: int) -> ScheduledEvent | None:
    if event_type.kind != "group":
        return None
    around = world.bookings.active_between(event_type.owner, start, start + 1)
    return next((e for e in around if e.event_type is event_type and e.start == start), None)


def _new_event(
    world: World, event_type: EventType, start: int, booker: Booker, calendar_id: str | None
) -> ScheduledEvent:
    now = world.clock.now()
    return ScheduledEvent(
        uuid=ids.fresh_id(world.switches.id_style),
        event_type=event_type,
        host=event_type.owner,
        start=start,
        end=start + event_type.duration * 60,
        created_at=now,
        updated_at=now,
        calendar_id=calendar_id or ids.opaque_token()[:26],
        location=_event_location(event_type, booker),
    )


def _event_location(event_type: EventType, booker: Booker) -> dict[str, Any] | None:
    """Calendly: an event type's location has a `kind`, an event's has a `type`."""
    chosen = booker.location or event_type.location
    if chosen is None:
        return None
    kind = {"type": chosen["kind"]}
    rest = {"location": chosen.get("location")}
    if "additional_info" in chosen:
        rest["additional_info"] = chosen["additional_info"]
    return kind | rest
