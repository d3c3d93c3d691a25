"""Open slots, busy times and schedules: the three reads without pages."""

from datetime import datetime, timedelta
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from sandbox.api.access import Call, check_scope, requires, same_organization
from sandbox.api.errors import detail, external_calendar_error, invalid_argument, not_found
from sandbox.api.event_types import readable
from sandbox.api.params import instant, required, resource_id
from sandbox.shapes import availability as shapes
from sandbox.state.directory import User
from sandbox.timestamps import seconds_of
from sandbox.world import World

_SLOT_RANGE = timedelta(days=31)  # Calendly: 31 days since 9 July 2026, 7 before
_BUSY_RANGE = timedelta(days=7)


@get("/event_type_available_times")
async def list_available_times(
    request: Call,
    world: NamedDependency[World],
    event_type: FromQuery[str | None] = None,
    start_time: FromQuery[str | None] = None,
    end_time: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Open slots of an event type within at most 31 days from now or later."""
    check_scope(request.auth, world.switches.available_times_scope)
    uri = required("event_type", event_type)
    start, end = _range(world, start_time, end_time, _SLOT_RANGE)
    found = readable(world, request.user, resource_id(world, "event_type", uri, "event_types"))
    if found.deleted_at is not None:
        raise not_found()
    if found.owner.calendar_broken and world.switches.available_times_need_calendar:
        raise external_calendar_error()
    slots = world.diary.slots(found, _ceiling(start), _ceiling(end)) if found.active else []
    return {"collection": shapes.available_times(found, slots)}


@get("/user_busy_times", guards=[requires("availability:read")])
async def list_busy_times(
    request: Call,
    world: NamedDependency[World],
    user: FromQuery[str | None] = None,
    start_time: FromQuery[str | None] = None,
    end_time: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """A user's busy times within at most 7 days, ascending; 424 with a broken calendar."""
    uri = required("user", user)
    start, end = _range(world, start_time, end_time, _BUSY_RANGE)
    found = _colleague(world, request.user, uri)
    if found.calendar_broken:
        raise external_calendar_error()
    bounds = seconds_of(start), seconds_of(end)
    busy = [shapes.calendly_busy(world, e) for e in world.diary.events(found, *bounds)]
    busy += [shapes.outside_busy(b) for b in world.diary.outside(found, *bounds)]
    return {"collection": sorted(busy, key=lambda entry: str(entry["start_time"]))}


@get("/user_availability_schedules", guards=[requires("availability:read")])
async def list_schedules(
    request: Call, world: NamedDependency[World], user: FromQuery[str | None] = None
) -> dict[str, Any]:
    """All schedules of a user."""
    found = _colleague(world, request.user, required("user", user))
    return {"collection": [shapes.schedule(world, s) for s in world.schedules.of(found)]}


@get("/user_availability_schedules/{uuid:str}", guards=[requires("availability:read")])
async def read_schedule(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """One schedule."""
    schedule = world.schedules.all.get(uuid)
    if schedule is None:
        raise not_found()
    same_organization(request.user, schedule.user)
    return {"resource": shapes.schedule(world, schedule)}


def _colleague(world: World, caller: User, uri: str) -> User:
    uuid = resource_id(world, "user", uri, "users")
    return same_organization(caller, world.directory.users.get(uuid))


def _range(
    world: World, start_time: str | None, end_time: str | None, longest: timedelta
) -> tuple[datetime, datetime]:
    start = instant("start_time", required("start_time", start_time))
    end = instant("end_time", required("end_time", end_time))
    if start < world.clock.now():
        raise invalid_argument(detail("start_time", "must be in the future"))
    if end <= start:
        raise invalid_argument(detail("end_time", "must be after start_time"))
    if end - start > longest:
        message = f"must be within {longest.days} days of start_time"
        raise invalid_argument(detail("end_time", message))
    return start, end


def _ceiling(moment: datetime) -> int:
    """The first whole second at or after an instant."""
    return seconds_of(moment) + (1 if moment.microsecond else 0)
