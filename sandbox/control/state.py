"""Health, summary, secrets, switches, clock, reset."""

from typing import Any

import msgspec
from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from sandbox.control.errors import ControlError
from sandbox.switches import Switches
from sandbox.timestamps import micros, parse_instant
from sandbox.world import World


class ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    """One of: seconds to move by, an instant to be now, or back to real time."""

    move_seconds: float | None = None
    now: str | None = None
    reset: bool = False


@get("/_control/health")
async def health() -> dict[str, str]:
    """Ready to serve."""
    return {"status": "ok"}


@get("/_control")
async def summary(world: NamedDependency[World]) -> dict[str, Any]:
    """Count the objects and the requests so far."""
    return {
        "now": micros(world.clock.now()),
        "users": len(world.directory.users),
        "event_types": len(world.catalogue.all),
        "scheduled_events": len(world.bookings.events),
        "invitees": len(world.bookings.invitees),
        "subscriptions": len(world.subscriptions.all),
        "deliveries_pending": len(world.outbox.pending),
        "deliveries_paused": world.outbox.paused,
        "faults": len(world.faults.rules),
        "counters": world.counters.as_json(),
    }


@get("/_control/secrets")
async def secrets(world: NamedDependency[World]) -> dict[str, list[str]]:
    """Every credential ever issued and every invitee's address."""
    return world.issued.as_json()


@post("/_control/reset", status_code=200)
async def reset(world: NamedDependency[World]) -> dict[str, str]:
    """Begin again as after the start."""
    world.reset()
    return {"status": "ok"}


@get("/_control/switches")
async def read_switches(world: NamedDependency[World]) -> Switches:
    """The setting of every switch."""
    return world.switches


@patch("/_control/switches")
async def change_switches(
    world: NamedDependency[World], data: JSONBody[dict[str, Any]]
) -> Switches:
    """Set the switches that are named; the others stay."""
    try:
        wanted = msgspec.convert({**msgspec.to_builtins(world.switches), **data}, Switches)
    except msgspec.ValidationError as error:
        raise ControlError(str(error)) from None
    for name in data:
        setattr(world.switches, name, getattr(wanted, name))
    return world.switches


@get("/_control/clock")
async def read_clock(world: NamedDependency[World]) -> dict[str, Any]:
    """The sandbox's present and its distance from real time."""
    return _clock(world)


@post("/_control/clock", status_code=200)
async def change_clock(
    world: NamedDependency[World], data: JSONBody[ClockChange]
) -> dict[str, Any]:
    """Move or set the clock; retries that come due are sent."""
    if data.reset:
        world.clock.reset()
    if data.now is not None:
        try:
            world.clock.set(parse_instant(data.now))
        except ValueError:
            raise ControlError("now must be an ISO 8601 time") from None
    if data.move_seconds is not None:
        world.clock.move(data.move_seconds)
    return _clock(world)


def _clock(world: World) -> dict[str, Any]:
    offset = world.clock.offset.total_seconds()
    return {"now": micros(world.clock.now()), "offset_seconds": offset}
