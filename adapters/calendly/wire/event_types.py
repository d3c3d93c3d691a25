"""Event types, in responses and in `event_type.*` webhooks (Calendly: List User's Event Types)."""

import msgspec

from adapters.calendly.wire.decoding import Dated, Time
from domain.redacted_repr import RedactedRepr


class CustomQuestion(msgspec.Struct):
    """A question on the booking page."""

    # Without them a required question looks optional, or one that is not asked looks asked.
    decisive = ("required", "enabled")
    name: str
    type: str = "string"
    position: int = 0
    enabled: bool = True
    required: bool = False
    answer_choices: list[str] | None = None
    include_other: bool = False


class LocationChoice(RedactedRepr, msgspec.Struct):
    """A place that the event type offers; `kind` here, `type` on an event."""

    shown = ("kind",)
    kind: str | None = None
    location: str | None = None
    additional_info: str | None = None
    phone_number: str | int | None = None


class Profile(msgspec.Struct):
    """The owner of the event type's page; absent for some team event types."""

    type: str | None = None
    name: str | None = None
    owner: str | None = None


class EventType(Dated):
    """A kind of meeting; `duration` in minutes."""

    # Without them an event type that is not bookable looks like one that is offered, or one with
    # several hosts like one with a single seat.
    decisive = ("active", "deleted_at", "secret", "pooling_type")
    uri: str
    duration: int
    scheduling_url: str
    name: str | None = None
    active: bool = False
    kind: str = "solo"
    slug: str | None = None
    pooling_type: str | None = None
    description_plain: str | None = None
    color: str | None = None
    locations: list[LocationChoice] | None = None
    custom_questions: list[CustomQuestion] | None = None
    profile: Profile | None = None
    duration_options: list[int] | None = None
    booking_method: str | None = None
    position: int | None = None
    secret: bool | None = None
    is_paid: bool | None = None
    admin_managed: bool | None = None
    locale: str | None = None
    deleted_at: Time | None = None
    updated_at: Time | None = None
