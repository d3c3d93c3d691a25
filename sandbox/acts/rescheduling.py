"""An invitee reschedules: the old booking is canceled and a new event made, linked both ways.

Two deliveries leave, in either order (Calendly: rescheduled invitees).
"""

from sandbox.acts.booking import Booker, announce_created, place
from sandbox.acts.canceling import (
    NotCancelableError,
    announce_canceled,
    check_cancelable,
    withdraw,
)
from sandbox.state.bookings import Guest, Invitee
from sandbox.world import World


def reschedule(world: World, old: Invitee, start: int, reason: str | None) -> Invitee:
    """Move `old` to `start` (UNIX seconds); returns the new invitee.

    Raises NotCancelableError when the old booking is over or canceled, SlotTakenError when
    the new start is not open; either way nothing has changed.
    """
    check_cancelable(world, old.event)
    if old.status == "canceled":
        raise NotCancelableError("Event is already canceled")
    event = old.event
    shared_calendar_id = event.calendar_id if event.event_type.kind == "solo" else None
    new = place(world, event.event_type, start, _again(old), shared_calendar_id)
    withdraw(world, old, reason)
    now = world.clock.now()
    new.event.guests.extend(Guest(g.email, g.created_at, now) for g in event.guests)
    old.rescheduled, old.new, new.old = True, new, old
    tellers = [(announce_canceled, old), (announce_created, new)]
    if world.switches.reschedule_order == "created_first":
        tellers.reverse()
    for tell, invitee in tellers:
        tell(world, invitee)
    return new


def _again(old: Invitee) -> Booker:
    return Booker(
        name=old.name,
        email=old.email,
        first_name=old.first_name,
        last_name=old.last_name,
        timezone=old.timezone,
        text_reminder_number=old.text_reminder_number,
        answers=old.answers,
        tracking=old.tracking,
        location=_chosen_location(old),
        method=old.scheduling_method,
    )


def _chosen_location(old: Invitee) -> dict[str, object] | None:
    location = old.event.location
    if location is None:
        return None
    return {"kind" if key == "type" else key: value for key, value in location.items()}
