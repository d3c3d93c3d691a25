"""Webhook bodies: the envelope first, its payload only once the kind is known."""

from typing import Annotated

import msgspec

from adapters.calendly.wire.decoding import Dated, Time


class Envelope(Dated):
    """`{event, created_at, created_by, payload}` (Calendly: webhook payload)."""

    event: Annotated[str, msgspec.Meta(min_length=1)]
    created_at: Time
    payload: msgspec.Raw


class EventTypeProfile(msgspec.Struct):
    """Whose an event type is: a user, or a team."""

    owner: str | None = None


class EventTypePayload(msgspec.Struct):
    """What tells one change of an event type from another, and whose it is."""

    uri: str
    profile: EventTypeProfile | None = None
    updated_at: str | None = None
    deleted_at: str | None = None


class NamedPayload(msgspec.Struct):
    """Any payload that says what it is about."""

    uri: str | None = None
