"""A webhook that was verified and read, and what became of it.

Nothing here decides: it is what the ways of storing a delivery have in common.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from application.ports.randomness import Randomness
from application.ports.storage.bookings import Owner
from application.ports.storage.webhook_events import WebhookEvent
from domain.ids import IntegrationId, WebhookEventId
from domain.integration import Integration
from domain.redacted_repr import RedactedRepr
from domain.webhook import APP_WIDE, ParsedWebhook, dedupe_key

STORED = "stored"
DUPLICATE = "duplicate"
UNAPPLIED = "unapplied"


class Delivery(RedactedRepr, msgspec.Struct, frozen=True):
    """What arrived, once it is known to come from Calendly.

    Args:
        body: the raw bytes.
        webhook: what was read out of them.
        integration_id: whom its address names; None for the app-wide address.
        received_at: when it arrived (UTC).

    """

    shown = ("integration_id", "received_at")
    body: bytes
    webhook: ParsedWebhook
    integration_id: IntegrationId | None
    received_at: datetime


class IngestResult(msgspec.Struct, frozen=True):
    """What became of a delivery.

    Args:
        result: `stored` or `duplicate`.
        event_id: of the stored event.
        applied: whether it had its effect.
        reason: why a stored one had none: it is ignored, or it waits to be applied.

    """

    result: str
    event_id: WebhookEventId | None = None
    applied: bool = False
    reason: str | None = None


def event_of(
    delivery: Delivery, concerned: Sequence[Integration | Owner], randomness: Randomness
) -> WebhookEvent:
    """Return the event to store; it belongs to whom it concerns where that is one alone.

    An app-wide delivery and one to a user's own address tell the same fact once, whichever way
    they are stored: this is the one place where the key is made.
    """
    only = concerned[0] if len(concerned) == 1 else None
    scope = _scope(only.id) if only else APP_WIDE
    return WebhookEvent(
        id=WebhookEventId(randomness.new_id()),
        dedupe_key=dedupe_key(delivery.webhook, delivery.body, scope),
        kind=delivery.webhook.kind,
        body=delivery.body,
        received_at=delivery.received_at,
        occurred_at=delivery.webhook.occurred_at,
        integration_id=only.id if only else None,
        user_id=only.user_id if only else None,
    )


def unlinked(event: WebhookEvent) -> WebhookEvent:
    """Return an event that refers to its integration no more, for that row cannot be had now."""
    return replace(event, integration_id=None)


def belongs_to(event: WebhookEvent, webhook: ParsedWebhook, integration: Integration) -> bool:
    """Whether an unlinked event was stored for this integration: its key says so."""
    # Until a deploy could read it, the event was known by its hash.
    readings = (webhook, replace(webhook, subject=None))
    scope = _scope(integration.id)
    return event.dedupe_key in {dedupe_key(each, event.body, scope) for each in readings}


def _scope(integration_id: IntegrationId) -> str:
    return str(integration_id)
