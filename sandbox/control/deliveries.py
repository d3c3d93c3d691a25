"""Subscriptions and deliveries: look, hold back, send again, lose."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from sandbox.control.errors import ControlError, found
from sandbox.deliveries.dispatcher import disable
from sandbox.deliveries.outbox import Delivery
from sandbox.shapes.subscriptions import subscription as subscription_shape
from sandbox.timestamps import micros
from sandbox.world import World

_POLL = 0.01


class Flush(msgspec.Struct, forbid_unknown_fields=True):
    """How long to wait, in seconds."""

    timeout: float = 10.0


@get("/_control/subscriptions")
async def list_subscriptions(world: NamedDependency[World]) -> dict[str, Any]:
    """All subscriptions of all apps."""
    records = world.subscriptions.all.values()
    return {"subscriptions": [{**subscription_shape(world, s), "uuid": s.uuid} for s in records]}


@post("/_control/subscriptions/{key:str}/disable", status_code=200)
async def disable_subscription(
    world: NamedDependency[World], key: FromPath[str]
) -> dict[str, Any]:
    """Disable a hook, as after a day of failures; what waits for it is lost."""
    subscription = found(world.subscriptions.find(key), "subscription")
    disable(world, subscription)
    return subscription_shape(world, subscription)


@get("/_control/deliveries")
async def list_deliveries(
    world: NamedDependency[World],
    event: FromQuery[str | None] = None,
    wanted: Annotated[str | None, QueryParameter(name="state")] = None,
    limit: FromQuery[int] = 100,
) -> dict[str, Any]:
    """The latest deliveries, newest first, with every attempt."""
    records = [
        d
        for d in (*world.outbox.finished, *world.outbox.pending.values())
        if event in (None, d.event) and wanted in (None, d.state)
    ]
    records.sort(key=lambda d: d.created_at, reverse=True)
    return {"total": len(records), "deliveries": [describe(world, d) for d in records[:limit]]}


@get("/_control/deliveries/{key:str}")
async def read_delivery(world: NamedDependency[World], key: FromPath[str]) -> dict[str, Any]:
    """One delivery with its payload."""
    delivery = found(world.outbox.find(key), "delivery")
    return {**describe(world, delivery), "payload": delivery.payload}


@post("/_control/deliveries/{key:str}/redeliver")
async def redeliver(world: NamedDependency[World], key: FromPath[str]) -> dict[str, Any]:
    """Send a duplicate of a delivery now."""
    delivery = found(world.outbox.find(key), "delivery")
    if delivery.subscription.uuid not in world.subscriptions.all:
        raise ControlError("its subscription is deleted", 409)
    return describe(world, world.outbox.repeat(delivery, world.clock.now()))


@post("/_control/deliveries/pause", status_code=200)
async def pause(world: NamedDependency[World]) -> dict[str, Any]:
    """Hold every delivery back."""
    world.outbox.paused = True
    return {"paused": True, "pending": len(world.outbox.pending)}


@post("/_control/deliveries/resume", status_code=200)
async def resume(world: NamedDependency[World]) -> dict[str, Any]:
    """Send again what was held back."""
    world.outbox.paused = False
    world.outbox.wake()
    return {"paused": False, "pending": len(world.outbox.pending)}


@post("/_control/deliveries/retry-now", status_code=200)
async def retry_now(world: NamedDependency[World]) -> dict[str, int]:
    """Make every waiting delivery due now."""
    due = [d for d in world.outbox.pending.values() if not d.in_flight]
    for delivery in due:
        delivery.due_at = world.clock.now()
        world.outbox.schedule(delivery)
    return {"retried": len(due)}


@post("/_control/deliveries/drop", status_code=200)
async def drop(world: NamedDependency[World]) -> dict[str, int]:
    """Lose everything that waits, as Calendly may."""
    waiting = list(world.outbox.pending.values())
    for delivery in waiting:
        world.outbox.finish(delivery, "dropped")
    world.counters.deliveries["dropped"] += len(waiting)
    return {"dropped": len(waiting)}


@post("/_control/deliveries/flush", status_code=200)
async def flush(
    world: NamedDependency[World], data: JSONBody[Flush | None] = None
) -> dict[str, Any]:
    """Wait until nothing is under way or due; says whether that was reached."""
    try:
        async with asyncio.timeout((data or Flush()).timeout):
            while _busy(world):  # noqa: ASYNC110 - a person or a test waits, rarely
                await asyncio.sleep(_POLL)
    except TimeoutError:
        return {"flushed": False, "pending": len(world.outbox.pending)}
    return {"flushed": True, "pending": len(world.outbox.pending)}


def describe(world: World, delivery: Delivery) -> dict[str, Any]:
    """A delivery as the control surface shows it."""
    return {
        "id": delivery.uuid,
        "subscription": world.uri("webhook_subscriptions", delivery.subscription.uuid),
        "callback_url": delivery.subscription.callback_url,
        "event": delivery.event,
        "state": delivery.state,
        "created_at": micros(delivery.created_at),
        "due_at": micros(delivery.due_at) if delivery.state == "pending" else None,
        "attempts": [
            {
                "at": micros(a.at),
                "result": a.result,
                "status": a.status,
                "duration_seconds": a.duration,
            }
            for a in delivery.attempts
        ],
    }


def _busy(world: World) -> bool:
    now = world.clock.now().astimezone(UTC)
    return any(_under_way(d, now) for d in world.outbox.pending.values())


def _under_way(delivery: Delivery, now: datetime) -> bool:
    return delivery.in_flight or delivery.due_at <= now
