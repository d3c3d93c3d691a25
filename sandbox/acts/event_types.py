"""A host adds, edits, deactivates or deletes an event type."""

from typing import Any

from sandbox import ids
from sandbox.deliveries.announcements import announce
from sandbox.shapes.event_types import event_type as shape
from sandbox.state.directory import User
from sandbox.state.event_types import EventType
from sandbox.state.seed import AccountMaker, Offer
from sandbox.world import World


def add_event_type(world: World, owner: User, offer: Offer) -> EventType:
    """Add an event type at the end of the owner's list; sends `event_type.created`."""
    maker = AccountMaker(
        world.directory, world.catalogue, world.schedules, ids.fresh_id, world.clock.now()
    )
    event_type = maker.offer(owner, offer, len(world.catalogue.of(owner)))
    announce(world, "event_type.created", owner, shape(world, event_type))
    return event_type


def change_event_type(world: World, event_type: EventType, changes: dict[str, Any]) -> None:
    """Set fields of an event type; sends `event_type.updated`."""
    for field, value in changes.items():
        setattr(event_type, field, value)
    event_type.updated_at = world.clock.now()
    announce(world, "event_type.updated", event_type.owner, shape(world, event_type))


def delete_event_type(world: World, event_type: EventType) -> None:
    """Delete an event type, which stays readable; sends `event_type.deleted` once."""
    if event_type.deleted_at is not None:
        return
    event_type.deleted_at = event_type.updated_at = world.clock.now()
    announce(world, "event_type.deleted", event_type.owner, shape(world, event_type))
