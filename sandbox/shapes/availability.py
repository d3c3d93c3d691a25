"""Slots, busy times and schedules as Calendly writes them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from sandbox.shapes.event_types import scheduling_url
from sandbox.state.bookings import ScheduledEvent
from sandbox.state.directory import BusyInterval
from sandbox.state.event_types import EventType
from sandbox.state.schedules import Schedule
from sandbox.state.slots import Slot
from sandbox.timestamps import from_seconds
from sandbox.world import World


def available_times(event_type: EventType, slots: Iterable[Slot]) -> list[dict[str, Any]]:
    """The collection of `GET /event_type_available_times`."""
    page = scheduling_url(event_type)
    return [_available_time(page, slot) for slot in slots]


def _available_time(page: str, slot: Slot) -> dict[str, Any]:
    start = stamp(slot.start)
    second, day = start[:19] + "Z", start[:10]
    return {
        "invitees_remaining": slot.remaining,
        "scheduling_url": f"{page}/{second}?month={day[:7]}&date={day}",
        "start_time": start,
        "status": "available",
    }


def calendly_busy(world: World, event: ScheduledEvent) -> dict[str, Any]:
    """A busy time that a Calendly event causes."""
    return {
        "buffered_end_time": stamp(event.end),
        "buffered_start_time": stamp(event.start),
        "end_time": stamp(event.end),
        "event": {"uri": world.uri("scheduled_events", event.uuid)},
        "start_time": stamp(event.start),
        "type": "calendly",
    }


def outside_busy(busy: BusyInterval) -> dict[str, Any]:
    """A busy time that another calendar, or a hold, causes."""
    return {"end_time": stamp(busy.end), "start_time": stamp(busy.start), "type": busy.kind}


def schedule(world: World, record: Schedule) -> dict[str, Any]:
    """`GET /user_availability_schedules/{uuid}`."""
    return {
        "default": record.default,
        "name": record.name,
        "rules": [{"intervals": [], **rule} for rule in msgspec.to_builtins(record.rules)],
        "timezone": record.timezone,
        "uri": world.uri("user_availability_schedules", record.uuid),
        "user": world.uri("users", record.user.uuid),
    }


def stamp(seconds: int) -> str:
    """UNIX seconds as `2020-01-02T20:00:00.000000Z`."""
    return from_seconds(seconds).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
