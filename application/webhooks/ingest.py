"""Receive one webhook: verify it, store it once and apply it before the response."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
"""Stores a delivery durably and applies it; None if no integration has its address."""


@dataclass(frozen=True, kw_only=True)
class IngestWebhook:
    """Keeps nothing of a delivery before its signature is verified."""

    inbox: Inbox
    reader: WebhookReader
    clock: Clock
    telemetry: Telemetry
    signing_keys: Sequence[Secret]
    tolerance: timedelta

    async def __call__(
        self, body: bytes, signature: str | None, subscription_key: str | None
    ) -> IngestResult:
        """Store a delivery durably.

        Args:
            body: the raw bytes as they arrived.
            signature: `Calendly-Webhook-Signature`.
            subscription_key: the last part of the callback URL; None for the app-wide address.

        Raises:
            SignatureRejected, MalformedWebhook, SubscriptionNotFound: nothing is stored.
            StorageUnavailable: nothing is stored; Calendly will deliver again.

        """
        now = self.clock.now()
        verdict = self._verify(body, signature, subscription_key, now)
        if verdict is not Verdict.VALID:
            self.telemetry.webhook_received(verdict)
            raise SignatureRejected(REFUSALS[verdict], reason=verdict)
        addressee = self._addressee(subscription_key)
        delivery = Delivery(body, self._read(body), addressee, now)
        try:
            result = await self.inbox(delivery)
        except StorageUnavailable:
            self.telemetry.webhook_received(UNAVAILABLE)
            raise
        if result is None:
            raise self._unknown_subscription()
        self._report(delivery.webhook, result)
        return result

    def _verify(
        self, body: bytes, signature: str | None, subscription_key: str | None, now: datetime
    ) -> Verdict:
        keys = self.signing_keys
        own = own_signing_keys(keys, subscription_key) if subscription_key is not None else ()
        return verify(body, signature, keys, now, self.tolerance, spare=own)

    def _addressee(self, subscription_key: str | None) -> IntegrationId | None:
        if subscription_key is None:
            return None
        integration_id = owner_of(subscription_key)
        if integration_id is None:
            raise self._unknown_subscription()
        return integration_id

    def _unknown_subscription(self) -> SubscriptionNotFound:
        self.telemetry.webhook_received(UNKNOWN_SUBSCRIPTION)
        return SubscriptionNotFound("No integration has this webhook subscription key.")

    def _read(self, body: bytes) -> ParsedWebhook:
        try:
            return self.reader.read(body)
        except MalformedWebhook:
            self.telemetry.webhook_received(MALFORMED_BODY)
            raise

    def _report(self, webhook: ParsedWebhook, result: IngestResult) -> None:
        self.telemetry.webhook_received(result.result)
        event_id, reason = result.event_id, result.reason
        if event_id is None:
            return
        self.telemetry.webhook_applied(webhook.kind, _outcome(result))
        if reason == UNKNOWN_KIND:
            self.telemetry.unknown_webhook_stored(event_id, webhook.kind)
        elif reason == UNREADABLE and webhook.unreadable is not None:
            self.telemetry.webhook_apply_failed(event_id, UNREADABLE_ERROR, webhook.unreadable)


def _outcome(result: IngestResult) -> str:
    if result.applied:
        return APPLIED
    # An event without an owner is counted by itself, because it may mean a lost account.
    own_label = result.reason in {UNREADABLE, UNAPPLIED, NOBODYS}
    return str(result.reason) if own_label else IGNORED
