"""Event types and open slots, always with their age."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class CacheAge(msgspec.Struct, frozen=True):
    """How old an answer is, and what that means."""

    fetched_at: Annotated[datetime, Meta(description="When Calendly was asked (UTC).")]
    age_seconds: int
    freshness: Annotated[
        Literal["fresh", "stale", "invalidated", "expired"],
        Meta(
            description=(
                "`fresh`; `stale` or `invalidated` (served while a refresh runs behind it); "
                "`expired` (served because Calendly cannot be asked)."
            )
        ),
    ]
    expires_at: Annotated[datetime, Meta(description="When the cache entry expires (UTC).")]
    invalidated_by: Annotated[
        str | None, Meta(description="What changed since it was fetched, such as a webhook.")
    ]
    error_code: Annotated[
        str | None, Meta(description="Why the last attempt to fetch again failed.")
    ]


class Question(msgspec.Struct, frozen=True):
    """A custom question that an invitee answers."""

    name: str
    kind: str
    position: int
    required: bool
    choices: tuple[str, ...]


class EventType(msgspec.Struct, frozen=True):
    """A kind of meeting."""

    uri: str
    name: str
    active: bool
    duration: Annotated[int, Meta(description="Minutes.")]
    kind: str
    scheduling_url: str
    slug: str | None
    pooling_type: str | None
    description: str | None
    color: str | None
    location_kinds: tuple[str, ...]
    questions: tuple[Question, ...]


class EventTypes(msgspec.Struct, frozen=True):
    """All event types of the user."""

    items: tuple[EventType, ...]
    cache: CacheAge


class Slot(msgspec.Struct, frozen=True):
    """A time that can be booked."""

    start: datetime
    seats: int
    scheduling_url: str


class Availability(msgspec.Struct, frozen=True):
    """Open slots of one event type."""

    event_type: EventType
    start: datetime
    end: datetime
    covered_until: Annotated[
        datetime | None,
        Meta(description="Slots are known until here (UTC); null when for the whole range."),
    ]
    slots: tuple[Slot, ...]
    cache: CacheAge
