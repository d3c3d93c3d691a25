"""A host's time: what can be booked, what is taken, and the weekly hours behind it."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.web.schemas.availability import CacheAge, LocalDay, Slot
from adapters.web.schemas.event_types import EventType

_Until = Annotated[
    datetime,
    Meta(description="Known until here (UTC); beyond it, nothing there is no statement."),
]


class Availability(msgspec.Struct, frozen=True):
    """Open slots of one event type."""

    event_type: EventType
    start: datetime
    end: datetime
    covered_until: _Until
    timezone: Annotated[str | None, Meta(description="The one that was asked for, if any.")]
    slots: tuple[Slot, ...]
    days: Annotated[
        tuple[LocalDay, ...] | None,
        Meta(description="The slots by local day, days without any left out; with `timezone`."),
    ]
    cache: CacheAge


class BusyTime(msgspec.Struct, frozen=True):
    """A time at which the user is not free."""

    kind: Annotated[str, Meta(description="`calendly`, or `external` from a connected calendar.")]
    start: datetime
    end: datetime


class BusyTimes(msgspec.Struct, frozen=True):
    """What touches the range, in order of time."""

    start: datetime
    end: datetime
    covered_until: _Until
    items: tuple[BusyTime, ...]
    cache: CacheAge


class Interval(msgspec.Struct, frozen=True):
    """A span of a day, `hh:mm` in the schedule's timezone."""

    start: str
    end: str


class Rule(msgspec.Struct, frozen=True):
    """Open hours of a weekday or of one date; none means closed."""

    kind: Annotated[str, Meta(description="`wday` or `date`.")]
    day: Annotated[str, Meta(description="`monday` and so on, or `2026-12-24`.")]
    intervals: tuple[Interval, ...]


class Schedule(msgspec.Struct, frozen=True):
    """The weekly hours in which a user takes meetings."""

    uri: str
    name: str
    default: bool
    timezone: str
    rules: tuple[Rule, ...]


class Schedules(msgspec.Struct, frozen=True):
    """All schedules of the user."""

    items: tuple[Schedule, ...]
    cache: CacheAge
