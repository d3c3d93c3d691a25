"""Event types, open slots, busy times and schedules, always with their age.

The rule not to break: an unchanged response has the same bytes. So its age in seconds is in the Age
header, never in a body.
"""

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.redacted_repr import RedactedRepr

_Until = Annotated[
    datetime, Meta(description="The end of the cached time (UTC); later times are not known.")
]


class CacheAge(msgspec.Struct, frozen=True):
    """The age and freshness of a response; the Age header has the age in seconds."""

    fetched_at: Annotated[
        datetime, Meta(description="When the oldest entry was fetched from Calendly (UTC).")
    ]
    freshness: Annotated[
        Literal["fresh", "stale", "invalidated", "expired"],
        Meta(
            description=(
                "`fresh`; `stale` or `invalidated` (refreshed in the background); "
                "`expired` (served because Calendly is unavailable)."
            )
        ),
    ]
    stale_at: Annotated[
        datetime, Meta(description="Until when it is fresh if nothing changes (UTC).")
    ]
    expires_at: Annotated[datetime, Meta(description="From then on reads wait for a fetch (UTC).")]
    invalidated_by: Annotated[
        str | None, Meta(description="The change since the fetch, for example a webhook's kind.")
    ]
    error_code: Annotated[str | None, Meta(description="Why the latest refresh failed.")]
    skipped: Annotated[
        int, Meta(description="How many records of Calendly's cannot be read and are left out.")
    ]


class Question(msgspec.Struct, frozen=True):
    """A custom question that an invitee answers."""

    name: str
    kind: str
    position: int
    required: bool
    enabled: bool
    choices: tuple[str, ...]
    include_other: Annotated[
        bool, Meta(description="Whether an invitee may write another answer.")
    ]


class Profile(msgspec.Struct, frozen=True):
    """The owner of an event type's page: a user or a team."""

    kind: str
    name: str
    owner: Annotated[str | None, Meta(description="Calendly's URI of the user or team.")]


class Place(RedactedRepr, msgspec.Struct, frozen=True):
    """Where a meeting can take place."""

    shown = ("kind",)
    kind: str
    location: str | None
    additional_info: str | None
    phone_number: str | None


class EventType(msgspec.Struct, frozen=True):
    """A kind of meeting."""

    uri: str
    name: str
    active: bool
    duration: Annotated[int, Meta(description="Minutes.")]
    duration_options: Annotated[
        tuple[int, ...], Meta(description="Minutes to choose from; empty without a choice.")
    ]
    kind: str
    scheduling_url: str
    slug: str | None
    pooling_type: str | None
    booking_method: str | None
    description: str | None
    color: str | None
    position: Annotated[int, Meta(description="Its place on the host's page.")]
    secret: Annotated[bool, Meta(description="Whether it is hidden from the host's page.")]
    is_paid: bool
    admin_managed: bool
    locale: str | None
    profile: Profile | None
    location_kinds: tuple[str, ...]
    locations: tuple[Place, ...]
    questions: tuple[Question, ...]
    updated_at: Annotated[datetime | None, Meta(description="At Calendly (UTC).")]


class EventTypes(msgspec.Struct, frozen=True):
    """A page of the user's event types, by name."""

    items: tuple[EventType, ...]
    next_cursor: Annotated[
        str | None, Meta(description="`cursor` of the next page; null on the last.")
    ]
    cache: CacheAge


class Slot(msgspec.Struct, frozen=True):
    """A time that can be booked."""

    start: datetime
    seats: int
    scheduling_url: str


class LocalSlot(msgspec.Struct, frozen=True):
    """A time that can be booked, in a timezone."""

    start: Annotated[datetime, Meta(description="UTC.")]
    local: Annotated[
        datetime,
        Meta(description="The same moment with its local offset; an hour can occur twice a day."),
    ]
    seats: int
    scheduling_url: str


class LocalDay(msgspec.Struct, frozen=True):
    """The slots of one day of a timezone."""

    date: dt.date
    slots: tuple[LocalSlot, ...]


class Availability(msgspec.Struct, frozen=True):
    """Open slots of one event type."""

    event_type: EventType
    start: datetime
    end: datetime
    covered_until: _Until
    timezone: Annotated[str | None, Meta(description="The requested one, if any.")]
    slots: tuple[Slot, ...]
    days: Annotated[
        tuple[LocalDay, ...] | None,
        Meta(description="The slots by local day, without empty days; only with `timezone`."),
    ]
    cache: CacheAge


class BusyTime(msgspec.Struct, frozen=True):
    """A time at which the user is not free."""

    kind: Annotated[str, Meta(description="`calendly`, or `external` from a connected calendar.")]
    start: datetime
    end: datetime


class BusyTimes(msgspec.Struct, frozen=True):
    """The busy times that overlap the range, in order of time."""

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
    """Open hours of a weekday or of one date; without intervals it is closed."""

    kind: Annotated[str, Meta(description="`wday` or `date`.")]
    day: Annotated[str, Meta(description="`monday` and so on, or `2026-12-24`.")]
    intervals: tuple[Interval, ...]


class Schedule(msgspec.Struct, frozen=True):
    """The weekly hours in which a user is available."""

    uri: str
    name: str
    default: bool
    timezone: str
    rules: tuple[Rule, ...]


class Schedules(msgspec.Struct, frozen=True):
    """All schedules of the user."""

    items: tuple[Schedule, ...]
    cache: CacheAge
