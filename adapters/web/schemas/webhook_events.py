"""Stored webhooks, as operators see them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A stored webhook without its body."""

    id: UUID
    kind: Annotated[str, Meta(description="Calendly's name of it, such as `invitee.created`.")]
    status: Literal["pending", "applied", "ignored", "dead_lettered"]
    attempts: Annotated[
        int, Meta(description="Failed attempts since it was stored or last replayed.")
    ]
    reason: Annotated[str | None, Meta(description="Why it is not applied, as a code.")]
    received_at: datetime
    occurred_at: datetime
    next_attempt_at: Annotated[
        datetime | None, Meta(description="The time of the next attempt, while it is pending.")
    ]
    settled_at: datetime | None
    integration_id: UUID | None
    replays: Annotated[int, Meta(description="The number of replays.")]
    replayed_at: datetime | None
    replayed_by: Annotated[
        str | None, Meta(description="`cli`, or `api:` and the beginning of the API key.")
    ]


class WebhookEventWithBody(WebhookEvent, frozen=True, kw_only=True):
    """A stored webhook; its body holds personal data and is shown only on request."""

    body: Annotated[
        Any, Meta(description="The body from Calendly, without links that act without a login.")
    ]


class WebhookEventPage(msgspec.Struct, frozen=True):
    """A page of stored webhooks, the latest first."""

    items: tuple[WebhookEvent, ...]
    next_cursor: Annotated[
        str | None, Meta(description="Pass as `cursor` for the next page; null on the last one.")
    ]


class Replayed(msgspec.Struct, frozen=True):
    """The number of replayed webhooks."""

    replayed: int
