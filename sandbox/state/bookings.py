"""Scheduled events and their invitees, indexed for the reads the API makes.

A reschedule makes a new event and a new invitee; nothing is ever moved in place.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from sandbox.state.directory import User
from sandbox.state.event_types import EventType

TRACKING_KEYS = (
    "utm_campaign",
    "utm_source",
    "utm_medium",
    "utm_content",
    "utm_term",
    "salesforce_uuid",
)
Status = Literal["active", "canceled"]


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation: by which person, why and when."""

    canceled_by: str
    canceler_type: Literal["host", "invitee"]
    reason: str | None
    created_at: datetime


class NoShow(msgspec.Struct, frozen=True):
    """The mark a host sets on an invitee who did not come."""

    uuid: str
    created_at: datetime


class Guest(msgspec.Struct, frozen=True):
    """Someone the invitee brings along."""

    email: str
    created_at: datetime
    updated_at: datetime


class ScheduledEvent(msgspec.Struct, eq=False, kw_only=True):
    """One meeting, with one invitee or, for group types, several."""

    uuid: str
    event_type: EventType
    host: User
    start: int
    end: int
    created_at: datetime
    updated_at: datetime
    calendar_id: str
    location: dict[str, Any] | None
    status: Status = "active"
    invitees: list["Invitee"] = msgspec.field(default_factory=list)
    guests: list[Guest] = msgspec.field(default_factory=list)
    cancellation: Cancellation | None = None

    @property
    def active_invitees(self) -> list["Invitee"]:
        """Invitees who still come, oldest first."""
        return [i for i in self.invitees if i.status == "active"]


class Invitee(msgspec.Struct, eq=False, kw_only=True):
    """One person's booking. `old` and `new` link a chain of reschedules."""

    uuid: str
    event: ScheduledEvent
    email: str
    name: str
    first_name: str | None
    last_name: str | None
    timezone: str | None
    created_at: datetime
    updated_at: datetime
    answers: list[dict[str, Any]] = msgspec.field(default_factory=list)
    tracking: dict[str, str | None] = msgspec.field(
        default_factory=lambda: dict.fromkeys(TRACKING_KEYS)
    )
    text_reminder_number: str | None = None
    scheduling_method: str | None = None
    status: Status = "active"
    rescheduled: bool = False
    old: "Invitee | None" = None
    new: "Invitee | None" = None
    no_show: NoShow | None = None
    cancellation: Cancellation | None = None


class Bookings:
    """All scheduled events, invitees and no-show marks."""

    def __init__(self) -> None:
        self.events: dict[str, ScheduledEvent] = {}
        self.invitees: dict[str, Invitee] = {}
        self.no_shows: dict[str, Invitee] = {}
        self._by_host: dict[str, list[ScheduledEvent]] = {}

    def add(self, invitee: Invitee) -> None:
        """Enter an invitee and, on first sight, the event."""
        event = invitee.event
        if event.uuid not in self.events:
            self.events[event.uuid] = event
            self._by_host.setdefault(event.host.uuid, []).append(event)
        event.invitees.append(invitee)
        self.invitees[invitee.uuid] = invitee

    def of(self, user: User) -> list[ScheduledEvent]:
        """All events the user hosts, in the order of booking."""
        return self._by_host.get(user.uuid, [])

    def active_between(self, user: User, start: int, end: int) -> Iterator[ScheduledEvent]:
        """The user's active events that overlap [start, end), UNIX seconds."""
        for event in self.of(user):
            if event.status == "active" and event.start < end and event.end > start:
                yield event

    def find_invitee(self, key: str) -> Invitee | None:
        """An invitee by id or any URI that ends in it."""
        return self.invitees.get(key.rsplit("/", 1)[-1])

    def find_event(self, key: str) -> ScheduledEvent | None:
        """An event by id or any URI that ends in it."""
        return self.events.get(key.rsplit("/", 1)[-1])
