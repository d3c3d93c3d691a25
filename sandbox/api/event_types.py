"""Event types, and single-use links to them."""

from typing import Any, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, RawBody

from sandbox.api.access import Call, administered, requires, same_organization
from sandbox.api.errors import detail, invalid_argument, not_found, permission_denied
from sandbox.api.paging import page, parse_sort
from sandbox.api.params import body_as, maybe_boolean, maybe_resource_id, resource_id
from sandbox.shapes.event_types import event_type as shape
from sandbox.state.directory import User
from sandbox.state.event_types import EventType
from sandbox.world import World

_SORTABLE = {name: name for name in ("name", "position", "created_at", "updated_at")}


class LinkRequest(msgspec.Struct):
    """Body of `POST /scheduling_links`; a link is good for one booking."""

    max_event_count: Literal[1]
    owner: str
    owner_type: Literal["EventType"]


@get("/event_types", guards=[requires("event_types:read")])
async def list_event_types(
    *,
    request: Call,
    world: NamedDependency[World],
    user: FromQuery[str | None] = None,
    organization: FromQuery[str | None] = None,
    active: FromQuery[str | None] = None,
    admin_managed: FromQuery[str | None] = None,
    sort: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Event types of a user, or of an organization for its owner and admins."""
    wanted = maybe_boolean("active", active)
    managed = maybe_boolean("admin_managed", admin_managed)
    order = parse_sort(sort, "name:asc", _SORTABLE)
    rows = [
        event_type
        for owner in _owners(request.user, world, user, organization)
        for event_type in world.catalogue.of(owner)
        if wanted in (None, event_type.active) and managed is not True
    ]
    return page(world, request, rows, order, shape)


@get("/event_types/{uuid:str}", guards=[requires("event_types:read")])
async def read_event_type(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """One event type; a deleted one stays readable."""
    return {"resource": shape(world, readable(world, request.user, uuid))}


@post("/scheduling_links", guards=[requires("scheduling_links:write")])
async def create_link(
    request: Call, world: NamedDependency[World], body: RawBody
) -> dict[str, Any]:
    """A booking page that can be used once."""
    link = body_as(LinkRequest, body)
    event_type = readable(
        world, request.user, resource_id(world, "owner", link.owner, "event_types")
    )
    if event_type.deleted_at is not None:
        raise not_found()
    owner = {"owner": link.owner, "owner_type": link.owner_type}
    return {"resource": {"booking_url": world.links.add(event_type), **owner}}


def readable(world: World, caller: User, uuid: str) -> EventType:
    """An event type of the caller's organization, deleted or not."""
    event_type = world.catalogue.all.get(uuid)
    if event_type is None:
        raise not_found()
    if event_type.owner.organization is not caller.organization:
        raise permission_denied()
    return event_type


def _owners(caller: User, world: World, user: str | None, organization: str | None) -> list[User]:
    user_id = maybe_resource_id(world, "user", user, "users")
    organization_id = maybe_resource_id(world, "organization", organization, "organizations")
    if user_id is not None:
        return [same_organization(caller, world.directory.users.get(user_id))]
    if organization_id is None:
        raise invalid_argument(detail("user", "must be filled unless organization is"))
    administered(caller, organization_id)
    return list(caller.organization.members)
