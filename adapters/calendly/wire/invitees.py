"""Invitees, in answers and as webhook payloads (Calendly: List Event Invitees)."""

from typing import Any

import msgspec

from adapters.calendly.wire.decoding import Dated, Time
from adapters.calendly.wire.scheduled_events import Cancellation, ScheduledEvent
from domain.redacted_repr import RedactedRepr
from domain.secret import Secret


class Tracking(msgspec.Struct):
    """UTM parameters; ours travels in `utm_content`, where others may put anything."""

    utm_content: Any = None


class NoShow(Dated):
    """The no-show mark."""

    uri: str
    created_at: Time | None = None


class NewNoShow(Dated):
    """The mark as the answer to making it says it."""

    uri: str
    created_at: Time


class Invitee(RedactedRepr, Dated, kw_only=True):
    """One person's seat at an event; the two URLs act without any login."""

    shown = ("uri",)
    uri: str
    email: str | None = None
    created_at: Time
    updated_at: Time | None = None
    status: str | None = None
    event: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    timezone: str | None = None
    rescheduled: bool | None = None
    old_invitee: str | None = None
    new_invitee: str | None = None
    cancel_url: Secret | None = None
    reschedule_url: Secret | None = None
    tracking: Tracking | None = None
    no_show: NoShow | None = None
    cancellation: Cancellation | None = None


class InviteeWithEvent(Invitee, kw_only=True):
    """The payload of `invitee.*` and `invitee_no_show.*`: start and end are only in here."""

    scheduled_event: ScheduledEvent


class InviteeUri(msgspec.Struct):
    """All that is read of a booking's answer."""

    uri: str
