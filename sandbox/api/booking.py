"""`POST /invitees`: the Scheduling API.

There is no idempotency key and no hold: the same request sent twice books twice, if it can.
"""

from typing import Any

from litestar import post
from litestar.di import NamedDependency
from litestar.params import RawBody

from sandbox.acts.booking import SlotTakenError, book
from sandbox.api.access import Call, requires
from sandbox.api.booking_request import (
    BookingRequest,
    booker_of,
    form_problems,
    type_problems,
)
from sandbox.api.errors import (
    ApiError,
    detail,
    invalid_argument,
    not_found,
    permission_denied,
)
from sandbox.api.event_types import readable
from sandbox.api.params import body_as, instant, required, resource_id
from sandbox.rates import BOOKING_LIMITS
from sandbox.shapes.invitees import invitee as shape
from sandbox.state.directory import User
from sandbox.world import World


@post("/invitees", guards=[requires("scheduled_events:write")])
async def create_invitee(
    request: Call, world: NamedDependency[World], body: RawBody
) -> dict[str, Any]:
    """Book a meeting with the event type's host for an invitee."""
    _check_plan(world, request.user)
    wanted = body_as(BookingRequest, body)
    uri = required("event_type", wanted.event_type)
    start = instant("start_time", required("start_time", wanted.start_time))
    if problems := form_problems(wanted):
        raise invalid_argument(*problems)
    uuid = resource_id(world, "event_type", uri, "event_types")
    event_type = readable(world, request.user, uuid)
    if not event_type.bookable:
        raise not_found()
    if problems := type_problems(wanted, event_type, world.switches.location_required):
        raise invalid_argument(*problems)
    if start <= world.clock.now():
        raise invalid_argument(detail("start_time", "must be in the future"))
    if start.microsecond:
        raise _taken(world)
    try:
        invitee = book(world, event_type, int(start.timestamp()), booker_of(wanted))
    except SlotTakenError:
        raise _taken(world) from None
    return {"resource": shape(world, invitee)}


def _taken(world: World) -> ApiError:
    problem = detail("start_time", "is no longer available", code="already_filled")
    return invalid_argument(problem, status=world.switches.taken_slot_status)


def _check_plan(world: World, caller: User) -> None:
    if caller.plan == "free" and world.switches.plan_gating == "old":
        raise permission_denied("Please upgrade to a paid Calendly account.")
    limits = BOOKING_LIMITS.get(caller.plan, ((86400.0, world.switches.free_bookings_per_day),))
    if not world.rates.take_booking(caller.uuid, limits):
        message = "You have exceeded the rate limit. Please try again later."
        raise ApiError(429, "Too Many Requests", message)
