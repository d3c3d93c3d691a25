"""Users, organizations and memberships."""

from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from sandbox.api.access import Call, administered, own_organization, requires, same_organization
from sandbox.api.errors import detail, invalid_argument, not_found, permission_denied
from sandbox.api.paging import page
from sandbox.api.params import maybe_resource_id, one_of
from sandbox.shapes import accounts as shapes
from sandbox.state.directory import User
from sandbox.world import World


@get("/users/me", guards=[requires("users:read")])
async def read_me(request: Call, world: NamedDependency[World]) -> dict[str, Any]:
    """The token's user."""
    return {"resource": shapes.user(world, request.user)}


@get("/users/{uuid:str}", guards=[requires("users:read")])
async def read_user(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """A user of the caller's organization."""
    user = world.directory.users.get(uuid)
    if user is None:
        raise not_found()
    same_organization(request.user, user)
    return {"resource": shapes.user(world, user)}


@get("/organizations/{uuid:str}", guards=[requires("organizations:read")])
async def read_organization(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """The caller's organization, which tells the plan."""
    organization = world.directory.organizations.get(uuid)
    if organization is None:
        raise not_found()
    own_organization(request.user, uuid)
    return {"resource": shapes.organization(world, organization)}


@get("/organization_memberships", guards=[requires("organizations:read")])
async def list_memberships(
    *,
    request: Call,
    world: NamedDependency[World],
    user: FromQuery[str | None] = None,
    organization: FromQuery[str | None] = None,
    email: FromQuery[str | None] = None,
    role: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Memberships of a user, or of an organization for its owner and admins."""
    user_id = maybe_resource_id(world, "user", user, "users")
    organization_id = maybe_resource_id(world, "organization", organization, "organizations")
    one_of("role", role, ("owner", "admin", "user"))
    members = [
        member
        for member in _members(request.user, world, user_id, organization_id)
        if email in (None, member.email) and role in (None, member.role)
    ]
    return page(world, request, members, (("created_at", False),), shapes.membership)


@get("/organization_memberships/{uuid:str}", guards=[requires("organizations:read")])
async def read_membership(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """One membership of the caller's organization."""
    member = world.directory.memberships.get(uuid)
    if member is None:
        raise not_found()
    same_organization(request.user, member)
    return {"resource": shapes.membership(world, member)}


def _members(
    caller: User, world: World, user_id: str | None, organization_id: str | None
) -> list[User]:
    if user_id is None and organization_id is None:
        raise invalid_argument(detail("user", "must be filled unless organization is"))
    if user_id is None:
        administered(caller, organization_id or "")
        return list(caller.organization.members)
    member = same_organization(caller, world.directory.users.get(user_id))
    if organization_id is not None and member.organization.uuid != organization_id:
        raise permission_denied("This user is not in your organization")
    return [member]
