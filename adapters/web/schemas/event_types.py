"""Event types: the kinds of meetings that a user offers."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.web.schemas.availability import CacheAge
from domain.redacted_repr import RedactedRepr


class Question(msgspec.Struct, frozen=True):
    """A custom question that an invitee answers."""

    name: str
    kind: str
    position: int
    required: bool
    enabled: bool
    choices: tuple[str, ...]
    include_other: Annotated[bool, Meta(description="Whether another answer may be written in.")]


class Profile(msgspec.Struct, frozen=True):
    """The page that an event type is on: a user's or a team's."""

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
    secret: Annotated[bool, Meta(description="Whether only who knows its address finds it.")]
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
