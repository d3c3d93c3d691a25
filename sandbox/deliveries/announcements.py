"""Facts become deliveries: one for each active subscription that wants them."""

from typing import Any

import msgspec

from sandbox import ids
from sandbox.deliveries.outbox import Delivery
from sandbox.state.directory import User
from sandbox.world import World


def announce(world: World, event: str, owner: User, payload: dict[str, Any]) -> None:
    """Queue `payload` for every subscription that wants `event` about `owner`.

    The body is frozen here: what changes afterwards does not show in it. A disabled
    subscription gets nothing, and never will.
    """
    wanting = [s for s in world.subscriptions.of(owner.organization) if s.wants(event, owner)]
    if not wanting:
        return
    now = world.clock.now()
    raw = msgspec.Raw(msgspec.json.encode(payload))
    for subscription in wanting:
        delivery = Delivery(
            uuid=ids.fresh_id(),
            subscription=subscription,
            event=event,
            payload=raw,
            created_at=now,
            due_at=now,
        )
        world.outbox.add(delivery)
        world.counters.deliveries["queued"] += 1
        if world.faults.draw() < world.switches.duplicate_share:
            world.outbox.repeat(delivery, now)
            world.counters.deliveries["duplicated"] += 1
