"""Scheduled events, in answers and inside webhook payloads (Calendly: List Events)."""

import msgspec

from adapters.calendly.wire.decoding import Dated, Time
from domain.redacted_repr import RedactedRepr


class Cancellation(RedactedRepr, Dated):
    """A cancellation; older bodies have no time."""

    shown = ("created_at", "canceler_type")
    canceled_by: str | None = None
    canceler_type: str | None = None
    reason: str | None = None
    created_at: Time | None = None


class EventLocation(RedactedRepr, msgspec.Struct):
    """The location; a conference's `join_url` is null at first."""

    shown = ("type",)
    type: str | None = None
    location: str | None = None
    join_url: str | None = None
    additional_info: str | None = None


class Membership(msgspec.Struct):
    """A host of the event."""

    decisive = ("user",)
    user: str | None = None


class CalendarEvent(msgspec.Struct):
    """The entry in the host's calendar, which a rescheduled event keeps."""

    external_id: str | None = None


class ScheduledEvent(RedactedRepr, Dated):
    """A meeting; a group event has several invitees."""

    shown = ("uri", "start_time", "status")
    # Without them it looks open, has no length, belongs to no account, or looks older than it is.
    decisive = ("status", "end_time", "event_memberships", "updated_at")
    uri: str
    start_time: Time
    end_time: Time | None = None
    name: str | None = None
    status: str | None = None
    event_type: str | None = None
    location: EventLocation | None = None
    event_memberships: list[Membership] | None = None
    calendar_event: CalendarEvent | None = None
    cancellation: Cancellation | None = None
    updated_at: Time | None = None
