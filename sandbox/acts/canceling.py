"""Cancellations: an invitee leaves, or the host cancels the whole event.

When one of several leaves a group event, the event stays active.
"""

from sandbox.deliveries.announcements import announce
from sandbox.shapes.invitees import invitee_payload
from sandbox.state.bookings import Cancellation, Invitee, ScheduledEvent
from sandbox.world import World


class NotCancelableError(Exception):
    """The event is over or canceled already; the text is Calendly's 403 message."""


def cancel_as_invitee(world: World, invitee: Invitee, reason: str | None) -> None:
    """The invitee cancels. Raises NotCancelableError when it is too late."""
    check_cancelable(world, invitee.event)
    if invitee.status == "canceled":
        raise NotCancelableError("Event is already canceled")
    withdraw(world, invitee, reason)
    announce_canceled(world, invitee)


def cancel_as_host(
    world: World, event: ScheduledEvent, canceled_by: str, reason: str | None
) -> Cancellation:
    """The host cancels the event for all invitees. Raises NotCancelableError when too late."""
    check_cancelable(world, event)
    now = world.clock.now()
    record = Cancellation(
        canceled_by=canceled_by, canceler_type="host", reason=reason, created_at=now
    )
    leaving = event.active_invitees
    event.status, event.cancellation, event.updated_at = "canceled", record, now
    for invitee in leaving:
        invitee.status, invitee.cancellation, invitee.updated_at = "canceled", record, now
    told = leaving if world.switches.group_cancel_fan_out == "each" else leaving[:1]
    for invitee in told:
        announce_canceled(world, invitee)
    return record


def check_cancelable(world: World, event: ScheduledEvent) -> None:
    """Raise NotCancelableError for a canceled event and for one that has begun."""
    if event.status == "canceled":
        raise NotCancelableError("Event is already canceled")
    if event.start <= world.clock.timestamp():
        raise NotCancelableError("Event in the past")


def withdraw(world: World, invitee: Invitee, reason: str | None) -> None:
    """Take an invitee out of the event; the last one to leave cancels it. Sends no webhook."""
    now, event = world.clock.now(), invitee.event
    record = Cancellation(
        canceled_by=invitee.name, canceler_type="invitee", reason=reason, created_at=now
    )
    invitee.status, invitee.cancellation, invitee.updated_at = "canceled", record, now
    event.updated_at = now
    if not event.active_invitees:
        event.status, event.cancellation = "canceled", record


def announce_canceled(world: World, invitee: Invitee) -> None:
    """Send `invitee.canceled`."""
    host = invitee.event.host
    announce(world, "invitee.canceled", host, invitee_payload(world, invitee))
