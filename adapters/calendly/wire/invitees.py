"""Invitees, in answers and as webhook payloads (Calendly: List Event Invitees)."""

from typing import Any, ClassVar

import msgspec

from adapters.calendly.wire.decoding import Dated, Time
from adapters.calendly.wire.scheduled_events import Cancellation, ScheduledEvent
from domain.redacted_repr import RedactedRepr
from domain.secret import Secret


class Tracking(msgspec.Struct):
    """UTM parameters; our reference is in `utm_content`, which may hold any other value."""

    utm_content: Any = None


class NoShow(Dated):
    """The no-show mark."""

    uri: str
    created_at: Time | None = None


class NewNoShow(Dated):
    """The mark in the response that creates it."""

    uri: str
    created_at: Time


class Invitee(RedactedRepr, Dated, kw_only=True):
    """One invitee of an event; the two URLs act without a login."""

    shown = ("uri",)
    # Without them a canceled or rescheduled booking looks like an open one, or an erasure by
    # address does not find it. Without `no_show` a stored mark would be removed, and without
    # `updated_at` new facts would look older than those that are stored.
    decisive: ClassVar[tuple[str, ...]] = (
        "status",
        "rescheduled",
        "new_invitee",
        "email",
        "no_show",
        "updated_at",
    )
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
    """The payload of `invitee.*` and `invitee_no_show.*`; only the event has start and end."""

    # In a webhook an absent `no_show` removes no mark.
    decisive: ClassVar[tuple[str, ...]] = (
        "status",
        "rescheduled",
        "new_invitee",
        "email",
        "updated_at",
    )
    scheduled_event: ScheduledEvent


class InviteeUri(msgspec.Struct):
    """The only field that is read from the response to a booking."""

    uri: str
