"""A verified webhook delivery, its result, and the event to store for it."""

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
    """A webhook request with a valid signature.

    Args:
        body: the raw bytes.
        webhook: the parsed body.
        integration_id: the integration in its address; None for the app-wide address.
        received_at: when it arrived (UTC).

    """

    shown = ("integration_id", "received_at")
    body: bytes
    webhook: ParsedWebhook
    integration_id: IntegrationId | None
    received_at: datetime


class IngestResult(msgspec.Struct, frozen=True):
    """The result of a delivery.

    Args:
        result: `stored` or `duplicate`.
        event_id: the id of the stored event; None for a duplicate.
        applied: whether bookings and cache show its effect.
        reason: why a stored event is not applied: it is ignored, or pending.

    """

    result: str
    event_id: WebhookEventId | None = None
    applied: bool = False
    reason: str | None = None


def event_of(delivery: Delivery, owners: Sequence[Owner], randomness: Randomness) -> WebhookEvent:
    """Return the event to store; it refers to its owner if there is exactly one.

    Only this function makes dedupe keys. So an app-wide delivery and a delivery to the user's own
    address of the same fact are one event.
    """
    only = owners[0] if len(owners) == 1 else None
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
    """Return the event without its integration, whose row is locked."""
    return replace(event, integration_id=None)


def belongs_to(event: WebhookEvent, webhook: ParsedWebhook, integration: Integration) -> bool:
    """Whether the key of an unlinked event shows that it was stored for this integration."""
    # An event that an earlier release could not read has a key made from its hash.
    readings = (webhook, replace(webhook, subject=None))
    scope = _scope(integration.id)
    return event.dedupe_key in {dedupe_key(each, event.body, scope) for each in readings}


def _scope(integration_id: IntegrationId) -> str:
    return str(integration_id)
