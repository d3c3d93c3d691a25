"""Event types as their host edits them."""

from typing import Any

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from sandbox.acts.event_types import add_event_type, change_event_type, delete_event_type
from sandbox.control.errors import found
from sandbox.shapes.availability import available_times
from sandbox.shapes.event_types import event_type as shape
from sandbox.state.event_types import Question
from sandbox.state.seed import Offer
from sandbox.world import World


class NewEventType(msgspec.Struct, forbid_unknown_fields=True):
    """An event type; duration in minutes, more than one seat makes a group type."""

    name: str
    duration: int = 30
    seats: int = 1
    location: dict[str, Any] | None = None
    questions: tuple[Question, ...] = ()


class EventTypeChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The fields to change; absent fields stay."""

    active: bool | None = None
    name: str | None = None
    duration: int | None = None
    description: str | None = None


@post("/_control/users/{key:str}/event-types")
async def add(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[NewEventType]
) -> dict[str, Any]:
    """Add an event type; sends `event_type.created`."""
    owner = found(world.directory.find(key), "user")
    offer = Offer(**msgspec.structs.asdict(data))
    return shape(world, add_event_type(world, owner, offer))


@patch("/_control/event-types/{key:str}")
async def change(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[EventTypeChange]
) -> dict[str, Any]:
    """Change an event type, or (de)activate it; sends `event_type.updated`."""
    event_type = found(world.catalogue.find(key), "event type")
    changes = {n: v for n, v in msgspec.structs.asdict(data).items() if v is not None}
    change_event_type(world, event_type, changes)
    return shape(world, event_type)


@delete("/_control/event-types/{key:str}", status_code=200)
async def remove(world: NamedDependency[World], key: FromPath[str]) -> dict[str, Any]:
    """Delete an event type; sends `event_type.deleted`."""
    event_type = found(world.catalogue.find(key), "event type")
    delete_event_type(world, event_type)
    return shape(world, event_type)


@get("/_control/event-types/{key:str}/slots")
async def slots(
    world: NamedDependency[World], key: FromPath[str], days: FromQuery[int] = 7
) -> dict[str, Any]:
    """The next open slots, without a token."""
    event_type = found(world.catalogue.find(key), "event type")
    now = int(world.clock.timestamp()) + 1
    return {
        "collection": available_times(
            event_type, world.diary.slots(event_type, now, now + days * 86400)
        )
    }
