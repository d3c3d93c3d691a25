"""Take in one webhook: verified, stored once and applied before it is answered."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from application.ports.calendly.webhook_reader import WebhookReader
from application.ports.clock import Clock
from application.ports.telemetry import Telemetry
from application.webhooks.apply import (
    APPLIED,
    IGNORED,
    NOBODYS,
    UNKNOWN_KIND,
    UNREADABLE,
    UNREADABLE_ERROR,
)
from application.webhooks.delivery import UNAPPLIED, Delivery, IngestResult
from domain.errors import (
    MalformedWebhook,
    SignatureRejected,
    StorageUnavailable,
    SubscriptionNotFound,
)
from domain.ids import IntegrationId
from domain.secret import Secret
from domain.signature import REFUSALS, Verdict, verify
from domain.subscription import owner_of
from domain.subscription_signing import own_signing_keys
from domain.webhook import ParsedWebhook

MALFORMED_BODY = "malformed_body"
UNAVAILABLE = "unavailable"
UNKNOWN_SUBSCRIPTION = "unknown_subscription"

Inbox: TypeAlias = Callable[[Delivery], Awaitable[IngestResult | None]]
"""Makes a delivery durable and applies it; None, or SubscriptionNotFound, for nobody's address."""


class IngestWebhook:
    """Nothing of a delivery is kept, nor waits to be, before its signature holds."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        reader: WebhookReader,
        clock: Clock,
        telemetry: Telemetry,
        signing_keys: Sequence[Secret],
        tolerance: timedelta,
    ) -> None:
        self._inbox = inbox
        self._reader = reader
        self._clock = clock
        self._telemetry = telemetry
        self._signing_keys = signing_keys
        self._tolerance = tolerance

    async def __call__(
        self, body: bytes, signature: str | None, subscription_key: str | None
    ) -> IngestResult:
        """Take in a delivery; when this returns, it is durable.

        Args:
            body: the raw bytes as they arrived.
            signature: `Calendly-Webhook-Signature`.
            subscription_key: last part of the callback URL; None for the app-wide address.

        Raises:
            SignatureRejected, MalformedWebhook, SubscriptionNotFound: nothing is stored.
            StorageUnavailable: nothing is stored; Calendly will deliver again.

        """
        now = self._clock.now()
        verdict = self._verify(body, signature, subscription_key, now)
        if verdict is not Verdict.VALID:
            self._telemetry.webhook_received(verdict)
            raise SignatureRejected(REFUSALS[verdict], reason=verdict)
        addressee = self._addressee(subscription_key)
        delivery = Delivery(body, self._read(body), addressee, now)
        try:
            ingested = await self._inbox(delivery)
        except SubscriptionNotFound:
            ingested = None
        except StorageUnavailable:
            self._telemetry.webhook_received(UNAVAILABLE)
            raise
        if ingested is None:
            raise self._nobodys()
        self._tell(delivery.webhook, ingested)
        return ingested

    def _verify(
        self, body: bytes, signature: str | None, subscription_key: str | None, now: datetime
    ) -> Verdict:
        keys = self._signing_keys
        own = own_signing_keys(keys, subscription_key) if subscription_key is not None else ()
        return verify(body, signature, keys, now, self._tolerance, spare=own)

    def _addressee(self, subscription_key: str | None) -> IntegrationId | None:
        if subscription_key is None:
            return None
        integration_id = owner_of(subscription_key)
        if integration_id is None:
            raise self._nobodys()
        return integration_id

    def _nobodys(self) -> SubscriptionNotFound:
        self._telemetry.webhook_received(UNKNOWN_SUBSCRIPTION)
        return SubscriptionNotFound("No integration has this webhook subscription key.")

    def _read(self, body: bytes) -> ParsedWebhook:
        try:
            return self._reader.read(body)
        except MalformedWebhook:
            self._telemetry.webhook_received(MALFORMED_BODY)
            raise

    def _tell(self, webhook: ParsedWebhook, ingested: IngestResult) -> None:
        self._telemetry.webhook_received(ingested.result)
        event_id, reason = ingested.event_id, ingested.reason
        if event_id is None:
            return
        self._telemetry.webhook_applied(webhook.kind, _outcome(ingested))
        if reason == UNKNOWN_KIND:
            self._telemetry.unknown_webhook_stored(event_id, webhook.kind)
        elif reason == UNREADABLE and webhook.unreadable is not None:
            self._telemetry.webhook_apply_failed(event_id, UNREADABLE_ERROR, webhook.unreadable)


def _outcome(ingested: IngestResult) -> str:
    if ingested.applied:
        return APPLIED
    waits = ingested.reason in {UNREADABLE, UNAPPLIED}
    # Counted by itself: an event that nobody here owns may mean a lost account.
    return str(ingested.reason) if waits or ingested.reason == NOBODYS else IGNORED
