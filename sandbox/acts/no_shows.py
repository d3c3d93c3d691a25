"""The host marks an invitee as a no-show, or takes the mark back."""

from sandbox import ids
from sandbox.deliveries.announcements import announce
from sandbox.shapes.invitees import invitee_payload
from sandbox.state.bookings import Invitee, NoShow
from sandbox.world import World


class AlreadyMarkedError(Exception):
    """The invitee carries a no-show mark already."""


def mark_no_show(world: World, invitee: Invitee) -> NoShow:
    """Set the mark and announce it. Raises AlreadyMarkedError."""
    if invitee.no_show is not None:
        raise AlreadyMarkedError
    now = world.clock.now()
    mark = NoShow(ids.fresh_id(world.switches.id_style), now)
    invitee.no_show, invitee.updated_at = mark, now
    world.bookings.no_shows[mark.uuid] = invitee
    payload = invitee_payload(world, invitee)
    announce(world, "invitee_no_show.created", invitee.event.host, payload)
    return mark


def unmark_no_show(world: World, invitee: Invitee) -> None:
    """Take the mark away and announce it; without a mark nothing happens."""
    if invitee.no_show is None:
        return
    del world.bookings.no_shows[invitee.no_show.uuid]
    invitee.no_show, invitee.updated_at = None, world.clock.now()
    payload = invitee_payload(world, invitee)
    del payload["no_show"]  # the official sample of this event leaves the key out
    announce(world, "invitee_no_show.deleted", invitee.event.host, payload)
