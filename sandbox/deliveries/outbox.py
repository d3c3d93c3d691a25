"""Deliveries waiting to be sent and the latest ones sent, in memory.

A delivery belongs to one subscription and carries one fact; its payload is frozen when made.
"""

import asyncio
import heapq
from collections import deque
from datetime import datetime
from typing import Any, Literal

import msgspec

from sandbox import ids
from sandbox.state.subscriptions import Subscription

_KEPT = 5000  # finished deliveries kept for inspection
State = Literal["pending", "delivered", "abandoned", "dropped"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One POST: what came back, or why nothing did; duration in seconds."""

    at: datetime
    result: str
    status: int | None
    duration: float


class Delivery(msgspec.Struct, eq=False, kw_only=True):
    """One webhook body on its way to one subscription."""

    uuid: str
    subscription: Subscription
    event: str
    payload: msgspec.Raw
    created_at: datetime
    due_at: datetime
    state: State = "pending"
    in_flight: bool = False
    attempts: list[Attempt] = msgspec.field(default_factory=list)


class Outbox:
    """The queue by due time, and a bounded history."""

    def __init__(self) -> None:
        self.paused = False
        self.pending: dict[str, Delivery] = {}
        self.finished: deque[Delivery] = deque(maxlen=_KEPT)
        self._queue: list[tuple[datetime, int, Delivery]] = []
        self._sequence = 0
        self._changed = asyncio.Event()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_changed"}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        vars(self).update(kept, _changed=asyncio.Event())
        for delivery in self.pending.values():
            # A delivery that was in progress when the sandbox ended is sent again.
            delivery.in_flight = False
            self.schedule(delivery)

    def add(self, delivery: Delivery) -> None:
        """Queue a delivery for its due time."""
        self.pending[delivery.uuid] = delivery
        self.schedule(delivery)

    def schedule(self, delivery: Delivery) -> None:
        """Queue a pending delivery again, for its (new) due time."""
        self._sequence += 1
        heapq.heappush(self._queue, (delivery.due_at, self._sequence, delivery))
        self.wake()

    def take_due(self, now: datetime) -> Delivery | None:
        """The next pending delivery that is due and not in flight; None when there is none."""
        while self._queue and not self.paused and self._queue[0][0] <= now:
            due_at, _, delivery = heapq.heappop(self._queue)
            superseded = delivery.due_at != due_at
            if delivery.state == "pending" and not delivery.in_flight and not superseded:
                delivery.in_flight = True
                return delivery
        return None

    def next_due(self) -> datetime | None:
        """When the next queued delivery is due; None when paused or empty."""
        return self._queue[0][0] if self._queue and not self.paused else None

    def finish(self, delivery: Delivery, state: State) -> None:
        """Move a delivery to the history."""
        delivery.state = state
        if self.pending.pop(delivery.uuid, None) is not None:
            self.finished.append(delivery)

    def drop(self, subscription: Subscription) -> int:
        """Give up all that waits for a subscription which is gone; returns how many."""
        gone = [d for d in self.pending.values() if d.subscription is subscription]
        for delivery in gone:
            self.finish(delivery, "dropped")
        return len(gone)

    def find(self, uuid: str) -> Delivery | None:
        """A delivery, pending or among the latest finished."""
        found = self.pending.get(uuid)
        return found or next((d for d in self.finished if d.uuid == uuid), None)

    def repeat(self, delivery: Delivery, now: datetime) -> Delivery:
        """Queue a duplicate of a delivery, due now."""
        copy = Delivery(
            uuid=ids.fresh_id(),
            subscription=delivery.subscription,
            event=delivery.event,
            payload=delivery.payload,
            created_at=delivery.created_at,
            due_at=now,
        )
        self.add(copy)
        return copy

    def clear(self) -> None:
        """Forget everything, also what is under way."""
        for delivery in list(self.pending.values()):
            self.finish(delivery, "dropped")
        self.finished.clear()
        self._queue.clear()
        self.paused = False
        self.wake()

    def wake(self) -> None:
        """Let the dispatcher look again."""
        self._changed.set()

    async def changed(self, seconds: float | None) -> None:
        """Wait for a change, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
        self._changed.clear()
