"""Users: list, add, change, break a calendar, keep a time busy."""

from typing import Any, Literal

import msgspec
from litestar import get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from sandbox import ids
from sandbox.control.errors import ControlError, found
from sandbox.shapes.accounts import user as user_shape
from sandbox.state.directory import BusyInterval, Plan, Role, User
from sandbox.state.seed import OFFERS, AccountMaker, Newcomer, seed_many
from sandbox.timestamps import parse_instant, seconds_of
from sandbox.world import World


class NewUsers(msgspec.Struct, forbid_unknown_fields=True):
    """`count` numbered users, or one with `email`; `organization` is another user's e-mail."""

    count: int | None = None
    email: str | None = None
    name: str | None = None
    timezone: str = "Europe/Berlin"
    plan: Plan = "paid"
    role: Role = "owner"
    organization: str | None = None


class UserChange(msgspec.Struct, forbid_unknown_fields=True):
    """The fields to change; the plan is the organization's."""

    plan: Plan | None = None
    role: Role | None = None


class CalendarState(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the calendar connection is broken."""

    broken: bool


class BusyTime(msgspec.Struct, forbid_unknown_fields=True):
    """A time that is taken, ISO 8601."""

    start: str
    end: str
    kind: Literal["external", "reserved"] = "external"


@get("/_control/users")
async def list_users(
    world: NamedDependency[World], offset: FromQuery[int] = 0, limit: FromQuery[int] = 100
) -> dict[str, Any]:
    """Users in the order they were added."""
    users = list(world.directory.users.values())
    shown = [describe(world, user) for user in users[offset : offset + limit]]
    return {"total": len(users), "users": shown}


@post("/_control/users")
async def add_users(world: NamedDependency[World], data: JSONBody[NewUsers]) -> dict[str, Any]:
    """Add one user or many, each with a schedule and three event types."""
    if data.count is not None:
        added = seed_many(
            world.directory, world.catalogue, world.schedules, data.count, world.settings.seed
        )
    else:
        added = [_add_one(world, data)]
    return {"total": len(world.directory.users), "users": [describe(world, u) for u in added]}


@get("/_control/users/{key:str}")
async def read_user(world: NamedDependency[World], key: FromPath[str]) -> dict[str, Any]:
    """One user by id or e-mail, with event types and grants."""
    user = found(world.directory.find(key), "user")
    return describe(world, user)


@patch("/_control/users/{key:str}")
async def change_user(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[UserChange]
) -> dict[str, Any]:
    """Change plan or role."""
    user = found(world.directory.find(key), "user")
    if data.plan is not None:
        user.organization.plan = data.plan
    if data.role is not None:
        user.role = data.role
    return describe(world, user)


@put("/_control/users/{key:str}/calendar")
async def set_calendar(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[CalendarState]
) -> dict[str, Any]:
    """Break the calendar connection (busy times answer 424), or repair it."""
    user = found(world.directory.find(key), "user")
    user.calendar_broken = data.broken
    return describe(world, user)


@post("/_control/users/{key:str}/busy")
async def add_busy(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[BusyTime]
) -> dict[str, Any]:
    """Keep a time busy in the user's outside calendar."""
    user = found(world.directory.find(key), "user")
    try:
        start, end = seconds_of(parse_instant(data.start)), seconds_of(parse_instant(data.end))
    except ValueError:
        raise ControlError("start and end must be ISO 8601 times") from None
    user.busy.append(BusyInterval(start, end, data.kind))
    return describe(world, user)


def describe(world: World, user: User) -> dict[str, Any]:
    """A user as the control surface shows it."""
    return {
        **user_shape(world, user),
        "uuid": user.uuid,
        "plan": user.plan,
        "role": user.role,
        "calendar_broken": user.calendar_broken,
        "grants": len(world.grants.of(user)),
        "event_types": [
            {"uuid": e.uuid, "uri": world.uri("event_types", e.uuid), "name": e.name}
            for e in world.catalogue.of(user)
        ],
    }


def _add_one(world: World, data: NewUsers) -> User:
    if data.email is None:
        raise ControlError("give a count or an email")
    colleague = None
    if data.organization is not None:
        colleague = found(world.directory.find(data.organization), "colleague")
    newcomer = Newcomer(
        name=data.name or data.email.split("@")[0],
        email=data.email,
        timezone=data.timezone,
        plan=data.plan,
        role=data.role,
        organization=colleague.organization if colleague else None,
    )
    maker = AccountMaker(
        world.directory, world.catalogue, world.schedules, ids.fresh_id, world.clock.now()
    )
    try:
        return maker(newcomer, OFFERS)
    except ValueError as error:
        raise ControlError(str(error), 409) from None
