"""`GET /sample_webhook_data`: a synthetic webhook body, bare and unsigned."""

from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from sandbox import ids
from sandbox.api.access import Call, requires
from sandbox.api.errors import detail, invalid_argument
from sandbox.api.hook_request import QueryScope, check_owner
from sandbox.api.params import required
from sandbox.shapes.event_types import event_type as event_type_shape
from sandbox.shapes.invitees import invitee_payload
from sandbox.state.bookings import Cancellation, Invitee, NoShow, ScheduledEvent
from sandbox.state.directory import User
from sandbox.timestamps import whole_second
from sandbox.world import World

_KNOWN = (
    "invitee.created",
    "invitee.canceled",
    "invitee_no_show.created",
    "invitee_no_show.deleted",
    "event_type.created",
    "event_type.updated",
    "event_type.deleted",
)


@get("/sample_webhook_data", guards=[requires("webhooks:read")])
async def sample_webhook_data(
    *,
    request: Call,
    world: NamedDependency[World],
    event: FromQuery[str | None] = None,
    organization: FromQuery[str | None] = None,
    hook_scope: QueryScope = None,
    user: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Show an example of a delivery of `event`."""
    kind = required("event", event)
    if kind not in _KNOWN:
        raise invalid_argument(detail("event", "is invalid"))
    check_owner(world, request.user, organization, hook_scope, user)
    return {
        "event": kind,
        "created_at": whole_second(world.clock.now()),
        "created_by": world.uri("users", request.user.uuid),
        "payload": _payload(world, request.user, kind),
    }


def _payload(world: World, host: User, kind: str) -> dict[str, Any]:
    if kind.startswith("event_type."):
        return event_type_shape(world, world.catalogue.of(host)[0])
    invitee = _john_doe(world, host)
    if kind == "invitee.canceled":
        _cancel(invitee)
    if kind == "invitee_no_show.created":
        invitee.no_show = NoShow(ids.fresh_id(), invitee.created_at)
    payload = invitee_payload(world, invitee)
    if kind == "invitee_no_show.deleted":
        del payload["no_show"]
    return payload


def _john_doe(world: World, host: User) -> Invitee:
    """An invitee that is in no index: nothing was booked."""
    now = world.clock.now()
    event_type = world.catalogue.of(host)[0]
    start = int(now.timestamp()) // 3600 * 3600 + 86400
    event = ScheduledEvent(
        uuid=ids.fresh_id(),
        event_type=event_type,
        host=host,
        start=start,
        end=start + event_type.duration * 60,
        created_at=now,
        updated_at=now,
        calendar_id="sample",
        location={"type": "physical", "location": "string", "additional_info": "string"},
    )
    invitee = Invitee(
        uuid=ids.fresh_id(),
        event=event,
        email="test@example.com",
        name="John Doe",
        first_name="John",
        last_name="Doe",
        timezone="America/New_York",
        created_at=now,
        updated_at=now,
    )
    event.invitees.append(invitee)
    return invitee


def _cancel(invitee: Invitee) -> None:
    record = Cancellation(
        canceled_by=invitee.name,
        canceler_type="invitee",
        reason="Meeting Conflict",
        created_at=invitee.created_at,
    )
    invitee.status, invitee.cancellation = "canceled", record
    invitee.event.status, invitee.event.cancellation = "canceled", record
