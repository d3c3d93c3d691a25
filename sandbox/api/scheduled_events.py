"""Scheduled events: list, read, cancel."""

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, RawBody

from sandbox.acts.canceling import NotCancelableError, cancel_as_host
from sandbox.api.access import Call, administered, own_organization, requires, visible
from sandbox.api.errors import detail, invalid_argument, not_found, permission_denied
from sandbox.api.paging import page, parse_sort
from sandbox.api.params import body_as, maybe_instant, maybe_resource_id, one_of
from sandbox.shapes import scheduled_events as shapes
from sandbox.state.bookings import ScheduledEvent
from sandbox.state.directory import User
from sandbox.timestamps import from_seconds
from sandbox.world import World

_LONGEST_REASON = 10_000


class CancelRequest(msgspec.Struct):
    """Body of a cancellation; all of it may be left out."""

    reason: str | None = None


@get("/scheduled_events", guards=[requires("scheduled_events:read")])
async def list_events(
    *,
    request: Call,
    world: NamedDependency[World],
    user: FromQuery[str | None] = None,
    organization: FromQuery[str | None] = None,
    group: FromQuery[str | None] = None,
    invitee_email: FromQuery[str | None] = None,
    status: FromQuery[str | None] = None,
    sort: FromQuery[str | None] = None,
    min_start_time: FromQuery[str | None] = None,
    max_start_time: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Events by host or organization; there is no filter by time of update."""
    if group is not None:
        raise permission_denied()  # the sandbox has no groups, so no user administers one
    one_of("status", status, ("active", "canceled"))
    order = parse_sort(sort, "start_time:asc", {"start_time": "start"})
    earliest = maybe_instant("min_start_time", min_start_time)
    latest = maybe_instant("max_start_time", max_start_time)
    rows = [
        event
        for host in _hosts(world, request.user, user, organization)
        for event in world.bookings.of(host)
        if status in (None, event.status)
        and (earliest is None or from_seconds(event.start) >= earliest)
        and (latest is None or from_seconds(event.start) <= latest)
        and (invitee_email is None or any(i.email == invitee_email for i in event.invitees))
    ]
    return page(world, request, rows, order, shapes.scheduled_event)


@get("/scheduled_events/{uuid:str}", guards=[requires("scheduled_events:read")])
async def read_event(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """One event."""
    event = event_or_404(world, uuid)
    if not visible(request.user, event.host):
        raise permission_denied("You are not allowed to view this event")
    return {"resource": shapes.scheduled_event(world, event)}


@post("/scheduled_events/{uuid:str}/cancellation", guards=[requires("scheduled_events:write")])
async def cancel_event(
    request: Call, world: NamedDependency[World], uuid: FromPath[str], body: RawBody
) -> dict[str, Any]:
    """Cancel the whole event, for every invitee."""
    event = event_or_404(world, uuid)
    reason = body_as(CancelRequest, body).reason
    if reason is not None and len(reason) > _LONGEST_REASON:
        raise invalid_argument(detail("reason", "is too long (maximum is 10000 characters)"))
    if not visible(request.user, event.host):
        raise permission_denied("You are not allowed to cancel this event")
    if reason is not None and world.switches.cancel_reason_refused:
        raise invalid_argument(detail("reason", "is invalid"))
    try:
        record = cancel_as_host(world, event, request.user.name, reason)
    except NotCancelableError as refusal:
        raise permission_denied(str(refusal)) from None
    return {"resource": shapes.cancellation(record)}


def event_or_404(world: World, uuid: str) -> ScheduledEvent:
    """The event, or Calendly's 404."""
    event = world.bookings.events.get(uuid)
    if event is None:
        raise not_found()
    return event


def _hosts(world: World, caller: User, user: str | None, organization: str | None) -> list[User]:
    user_id = maybe_resource_id(world, "user", user, "users")
    organization_id = maybe_resource_id(world, "organization", organization, "organizations")
    if user_id is None and organization_id is None:
        raise invalid_argument(detail("user", "must be filled unless organization is"))
    if user_id is None:
        administered(caller, organization_id or "")
        return list(caller.organization.members)
    found = world.directory.users.get(user_id)
    if organization_id is not None:
        own_organization(caller, organization_id)
    if found is None or found.organization is not caller.organization:
        raise permission_denied("This user is not in your organization")
    if found is caller:
        return [found]
    if organization_id is None:
        raise permission_denied(
            "Please also specify organization when requesting events for a user within your "
            "organization."
        )
    administered(caller, organization_id)
    return [found]
