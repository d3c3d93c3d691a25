"""Webhook bodies: the envelope first; the payload after its kind is known."""

from typing import Annotated

import msgspec

from adapters.calendly.wire.decoding import Dated, Time


class Envelope(Dated):
    """`{event, created_at, created_by, payload}` (Calendly: webhook payload)."""

    event: Annotated[str, msgspec.Meta(min_length=1)]
    created_at: Time
    payload: msgspec.Raw


class EventTypeProfile(msgspec.Struct):
    """The owner of an event type: a user or a team."""

    owner: str | None = None


class EventTypePayload(msgspec.Struct):
    """The fields that identify a change of an event type, and its owner."""

    uri: str
    profile: EventTypeProfile | None = None
    updated_at: str | None = None
    deleted_at: str | None = None


class NamedPayload(msgspec.Struct):
    """Any payload with the URI of its subject."""

    uri: str | None = None
