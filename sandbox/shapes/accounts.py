"""Users, organizations and memberships as Calendly writes them."""

from typing import Any

from sandbox.state.directory import PLAN_NAMES, Organization, User
from sandbox.timestamps import micros
from sandbox.world import World


def user(world: World, record: User) -> dict[str, Any]:
    """`GET /users/{uuid}`."""
    return {
        "avatar_url": None,
        "created_at": micros(record.created_at),
        "current_organization": world.uri("organizations", record.organization.uuid),
        "email": record.email,
        "locale": "en",
        "name": record.name,
        "resource_type": "User",
        "scheduling_url": f"https://calendly.com/{record.slug}",
        "slug": record.slug,
        "time_notation": "24h",
        "timezone": record.timezone,
        "updated_at": micros(record.updated_at),
        "uri": world.uri("users", record.uuid),
    }


def organization(world: World, record: Organization) -> dict[str, Any]:
    """`GET /organizations/{uuid}`."""
    plan, stage = PLAN_NAMES[record.plan]
    return {
        "created_at": micros(record.created_at),
        "id": record.number,
        "kind": record.kind,
        "name": record.name,
        "plan": plan,
        "stage": stage,
        "updated_at": micros(record.updated_at),
        "uri": world.uri("organizations", record.uuid),
    }


def membership(world: World, record: User) -> dict[str, Any]:
    """`GET /organization_memberships/{uuid}`: the user's place in the organization."""
    member = user(world, record)
    del member["current_organization"], member["resource_type"]
    return {
        "created_at": micros(record.created_at),
        "organization": world.uri("organizations", record.organization.uuid),
        "role": record.role,
        "updated_at": micros(record.updated_at),
        "uri": world.uri("organization_memberships", record.membership_uuid),
        "user": member,
    }
