"""Invitees of an event, and no-show marks."""

from typing import Any

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, RawBody

from sandbox.acts.no_shows import AlreadyMarkedError, mark_no_show, unmark_no_show
from sandbox.api.access import Call, requires, visible
from sandbox.api.errors import (
    already_exists,
    detail,
    invalid_argument,
    not_found,
    permission_denied,
)
from sandbox.api.paging import page, parse_sort
from sandbox.api.params import body_as, one_of
from sandbox.api.scheduled_events import event_or_404
from sandbox.shapes import invitees as shapes
from sandbox.state.bookings import Invitee
from sandbox.state.directory import User
from sandbox.world import World


class NoShowRequest(msgspec.Struct):
    """Body of `POST /invitee_no_shows`."""

    invitee: str


@get("/scheduled_events/{uuid:str}/invitees", guards=[requires("scheduled_events:read")])
async def list_invitees(
    *,
    request: Call,
    world: NamedDependency[World],
    uuid: FromPath[str],
    status: FromQuery[str | None] = None,
    email: FromQuery[str | None] = None,
    sort: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The event's invitees, canceled ones included."""
    event = event_or_404(world, uuid)
    if not visible(request.user, event.host):
        raise permission_denied("You are not allowed to view this event")
    one_of("status", status, ("active", "canceled"))
    order = parse_sort(sort, "created_at:asc", {"created_at": "created_at"})
    rows = [
        invitee
        for invitee in event.invitees
        if status in (None, invitee.status) and email in (None, invitee.email)
    ]
    return page(world, request, rows, order, shapes.invitee)


@get(
    "/scheduled_events/{uuid:str}/invitees/{invitee_uuid:str}",
    guards=[requires("scheduled_events:read")],
)
async def read_invitee(
    request: Call,
    world: NamedDependency[World],
    uuid: FromPath[str],
    invitee_uuid: FromPath[str],
) -> dict[str, Any]:
    """One invitee."""
    invitee = world.bookings.invitees.get(invitee_uuid)
    if invitee is None or invitee.event is not event_or_404(world, uuid):
        raise not_found()
    if not visible(request.user, invitee.event.host):
        raise permission_denied("You do not have permission to view this event")
    return {"resource": shapes.invitee(world, invitee)}


@post("/invitee_no_shows", guards=[requires("scheduled_events:write")])
async def create_no_show(
    request: Call, world: NamedDependency[World], body: RawBody
) -> dict[str, Any]:
    """Mark an invitee as a no-show."""
    invitee = _invitee_by_uri(world, body_as(NoShowRequest, body).invitee)
    _check_host(request.user, invitee)
    try:
        mark = mark_no_show(world, invitee)
    except AlreadyMarkedError:
        raise already_exists() from None
    return {"resource": shapes.no_show(world, invitee, mark)}


@get("/invitee_no_shows/{uuid:str}", guards=[requires("scheduled_events:read")])
async def read_no_show(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """One no-show mark."""
    invitee = _marked(world, request.user, uuid)
    if invitee.no_show is None:
        raise not_found()
    return {"resource": shapes.no_show(world, invitee, invitee.no_show)}


@delete("/invitee_no_shows/{uuid:str}", guards=[requires("scheduled_events:write")])
async def delete_no_show(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> None:
    """Take a no-show mark back."""
    unmark_no_show(world, _marked(world, request.user, uuid))


def _marked(world: World, caller: User, uuid: str) -> Invitee:
    invitee = world.bookings.no_shows.get(uuid)
    if invitee is None:
        raise not_found()
    _check_host(caller, invitee)
    return invitee


def _invitee_by_uri(world: World, uri: str) -> Invitee:
    base = f"{world.settings.resource_base}/scheduled_events/"
    if not uri.startswith(base) or "/invitees/" not in uri:
        raise invalid_argument(detail("invitee", "is not a valid URI"))
    invitee = world.bookings.find_invitee(uri)
    if invitee is None or shapes.invitee_uri(world, invitee) != uri:
        raise not_found()
    return invitee


def _check_host(caller: User, invitee: Invitee) -> None:
    if not visible(caller, invitee.event.host):
        raise permission_denied()
