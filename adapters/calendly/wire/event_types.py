"""Event types, in answers and in `event_type.*` webhooks (Calendly: List User's Event Types)."""

import msgspec

from adapters.calendly.wire.decoding import Dated, Time


class CustomQuestion(msgspec.Struct):
    """A question on the booking page."""

    name: str
    type: str = "string"
    position: int = 0
    enabled: bool = True
    required: bool = False
    answer_choices: list[str] | None = None


class LocationChoice(msgspec.Struct):
    """A place that the event type offers; `kind` here, `type` on an event."""

    kind: str | None = None


class EventType(Dated):
    """A kind of meeting; `duration` in minutes."""

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
    deleted_at: Time | None = None
    updated_at: Time | None = None
