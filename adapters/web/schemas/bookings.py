"""Bookings, and the bodies of requests to book and to cancel."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from adapters.web.schemas.text import Email, Line, Lines


class Invitee(msgspec.Struct, frozen=True):
    """The invitee of a booking."""

    name: str
    email: str
    timezone: str | None


class Location(msgspec.Struct, frozen=True):
    """The location of a booking."""

    kind: str
    text: str | None
    join_url: str | None


class Cancellation(msgspec.Struct, frozen=True):
    """A cancellation: its author, time (UTC) and reason."""

    at: datetime
    by: str
    by_kind: str
    reason: str | None


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """One invitee of one scheduled event."""

    id: UUID
    status: Literal["booked", "canceled", "rescheduled"]
    event_name: str
    start: datetime
    end: datetime
    invitee: Invitee
    location: Location | None
    no_show: bool
    cancellation: Cancellation | None
    rescheduled_from: Annotated[
        UUID | None, Meta(description="The booking that this one replaced.")
    ]
    rescheduled_to: Annotated[UUID | None, Meta(description="The booking that replaced this one.")]
    event_type: Annotated[str | None, Meta(description="Calendly's URI of the event type.")]
    event_uri: str
    invitee_uri: str
    created_at: datetime
    updated_at: datetime


class BookingWithLinks(Booking, frozen=True, kw_only=True):
    """A booking with the links that act on it without a login: treat them as passwords."""

    cancel_url: str | None
    reschedule_url: str | None


class BookingPage(msgspec.Struct, frozen=True):
    """A page of bookings by ascending start."""

    items: tuple[Booking, ...]
    next_cursor: Annotated[
        str | None, Meta(description="Pass as `cursor` for the next page; null on the last one.")
    ]


class NewAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An invitee's answer to one custom question."""

    question: Annotated[Lines, Meta(description="The question's exact text.")]
    answer: Lines
    position: Annotated[int, Meta(ge=0, le=100)] = 0


class NewInvitee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The invitee to book for."""

    name: Line
    email: Email
    timezone: Annotated[Line, Meta(description="An IANA name, such as Europe/Berlin.")]


class NewLocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the event type's locations, and the address or number that it needs."""

    kind: Line
    text: Lines | None = None


class NewBooking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A booking to create at Calendly."""

    event_type: Annotated[
        Line, Meta(description="The event type's URI, or the last segment of it.")
    ]
    start: Annotated[
        datetime, Meta(tz=True, description="An open slot's start, with its UTC offset.")
    ]
    invitee: NewInvitee
    location: NewLocation | None = None
    answers: Annotated[list[NewAnswer], Meta(max_length=20)] = []
    guests: Annotated[list[Email], Meta(max_length=10, description="E-mail addresses.")] = []


class CancelBooking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason for canceling, which the invitee sees."""

    reason: Lines | None = None
