"""Act as an invitee, or as the host in Calendly's own pages."""

from typing import Any

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from sandbox.acts.booking import Booker, SlotTakenError, book
from sandbox.acts.canceling import NotCancelableError, cancel_as_host, cancel_as_invitee
from sandbox.acts.no_shows import AlreadyMarkedError, mark_no_show, unmark_no_show
from sandbox.acts.rescheduling import reschedule
from sandbox.control.errors import ControlError, found
from sandbox.shapes.invitees import invitee_payload
from sandbox.shapes.scheduled_events import scheduled_event
from sandbox.state.event_types import EventType
from sandbox.timestamps import parse_instant, seconds_of
from sandbox.world import World

_HORIZON = 31 * 86400


class BookingByInvitee(msgspec.Struct, forbid_unknown_fields=True):
    """A booking; the type by id or URI, or else the first of `user`.

    Without `start_time` the next open slot is taken.
    """

    event_type: str | None = None
    user: str | None = None
    start_time: str | None = None
    name: str = "Iris Invitee"
    email: str = "iris.invitee@example.net"
    timezone: str | None = "Europe/Berlin"
    answers: list[dict[str, Any]] = []
    tracking: dict[str, str | None] = {}
    guests: tuple[str, ...] = ()


class BulkBookings(msgspec.Struct, forbid_unknown_fields=True):
    """`count` bookings spread over the users named, or over all users."""

    count: int
    users: tuple[str, ...] = ()


class Move(msgspec.Struct, forbid_unknown_fields=True):
    """Where to; without `start_time` to the next open slot."""

    start_time: str | None = None
    reason: str | None = None


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why."""

    reason: str | None = None


@get("/_control/invitees")
async def list_invitees(
    world: NamedDependency[World],
    email: FromQuery[str | None] = None,
    user: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Invitees by e-mail or host, oldest first."""
    host = found(world.directory.find(user), "user") if user else None
    shown = [
        invitee_payload(world, i)
        for i in world.bookings.invitees.values()
        if email in (None, i.email) and host in (None, i.event.host)
    ]
    return {"invitees": shown}


@post("/_control/invitees")
async def book_as_invitee(
    world: NamedDependency[World], data: JSONBody[BookingByInvitee]
) -> dict[str, Any]:
    """Book on the booking page; sends `invitee.created`."""
    event_type = _event_type(world, data)
    start = _start(world, event_type, data.start_time)
    booker = Booker(
        name=data.name,
        email=data.email,
        timezone=data.timezone,
        answers=data.answers,
        tracking=data.tracking,
        guests=data.guests,
    )
    try:
        return invitee_payload(world, book(world, event_type, start, booker))
    except SlotTakenError:
        raise ControlError("that is not an open slot", 409) from None


@post("/_control/invitees/bulk")
async def book_many(world: NamedDependency[World], data: JSONBody[BulkBookings]) -> dict[str, Any]:
    """Book the next open slots of many users, one invitee each."""
    hosts = [found(world.directory.find(key), f"user {key}") for key in data.users]
    hosts = hosts or list(world.directory.users.values())
    first = len(world.bookings.invitees)
    made = []
    for number in range(data.count):
        event_type = world.catalogue.of(hosts[number % len(hosts)])[0]
        who = first + number
        booker = Booker(name=f"Invitee {who}", email=f"invitee-{who}@bulk.example")
        made.append(book(world, event_type, _start(world, event_type, None), booker).uuid)
    return {"invitees": made}


@post("/_control/invitees/{key:str}/reschedule")
async def reschedule_as_invitee(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[Move | None] = None
) -> dict[str, Any]:
    """Move to another slot; sends `invitee.canceled` and `invitee.created`."""
    old = found(world.bookings.find_invitee(key), "invitee")
    move = data or Move()
    start = _start(world, old.event.event_type, move.start_time)
    try:
        return invitee_payload(world, reschedule(world, old, start, move.reason))
    except SlotTakenError:
        raise ControlError("that is not an open slot", 409) from None
    except NotCancelableError as refusal:
        raise ControlError(str(refusal), 409) from None


@post("/_control/invitees/{key:str}/cancel", status_code=200)
async def cancel_invitee(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[Reason | None] = None
) -> dict[str, Any]:
    """The invitee cancels; sends `invitee.canceled`."""
    invitee = found(world.bookings.find_invitee(key), "invitee")
    try:
        cancel_as_invitee(world, invitee, data.reason if data else None)
    except NotCancelableError as refusal:
        raise ControlError(str(refusal), 409) from None
    return invitee_payload(world, invitee)


@post("/_control/scheduled-events/{key:str}/cancel", status_code=200)
async def cancel_event(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[Reason | None] = None
) -> dict[str, Any]:
    """The host cancels for all invitees; sends `invitee.canceled` for each."""
    event = found(world.bookings.find_event(key), "scheduled event")
    try:
        cancel_as_host(world, event, event.host.name, data.reason if data else None)
    except NotCancelableError as refusal:
        raise ControlError(str(refusal), 409) from None
    return scheduled_event(world, event)


@post("/_control/invitees/{key:str}/no-show")
async def mark(world: NamedDependency[World], key: FromPath[str]) -> dict[str, Any]:
    """The host marks a no-show; sends `invitee_no_show.created`."""
    invitee = found(world.bookings.find_invitee(key), "invitee")
    try:
        mark_no_show(world, invitee)
    except AlreadyMarkedError:
        raise ControlError("the invitee is marked already", 409) from None
    return invitee_payload(world, invitee)


@delete("/_control/invitees/{key:str}/no-show", status_code=200)
async def unmark(world: NamedDependency[World], key: FromPath[str]) -> dict[str, Any]:
    """The host takes the mark back; sends `invitee_no_show.deleted`."""
    invitee = found(world.bookings.find_invitee(key), "invitee")
    unmark_no_show(world, invitee)
    return invitee_payload(world, invitee)


def _event_type(world: World, data: BookingByInvitee) -> EventType:
    if data.event_type is not None:
        event_type = found(world.catalogue.find(data.event_type), "event type")
    else:
        host = found(world.directory.find(data.user or ""), "user")
        event_type = found(next(iter(world.catalogue.of(host)), None), "event type")
    if not event_type.bookable:
        raise ControlError("the event type is not active", 409)
    return event_type


def _start(world: World, event_type: EventType, start_time: str | None) -> int:
    if start_time is not None:
        try:
            return seconds_of(parse_instant(start_time))
        except ValueError:
            raise ControlError("start_time must be an ISO 8601 time") from None
    now = int(world.clock.timestamp()) + 1
    for day in range(0, _HORIZON, 86400):
        slots = world.diary.slots(event_type, now + day, now + day + 86400)
        if slots:
            return slots[0].start
    raise ControlError("no open slot within 31 days", 409)
