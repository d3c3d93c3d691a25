"""Take in one webhook: verified, stored once and applied before it is answered."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import msgspec

from application.apply_webhook import (
    APPLIED,
    IGNORED,
    UNKNOWN_KIND,
    UNREADABLE,
    UNREADABLE_ERROR,
    apply_webhook,
    integrations_of,
)
from application.ports.background import Background
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.jobs import Jobs
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.ports.webhook_events import WebhookEvent
from application.ports.webhook_reader import WebhookReader
from application.whereabouts import whereabouts
from domain.errors import (
    JobsUnavailable,
    MalformedWebhook,
    SignatureRejected,
    StorageUnavailable,
    SubscriptionNotFound,
)
from domain.ids import WebhookEventId
from domain.integration import Integration
from domain.secret import Secret
from domain.signature import REFUSALS, Verdict, verify
from domain.subscription import owner_of
from domain.webhook import Notice, dedupe_key

STORED = "stored"
DUPLICATE = "duplicate"
UNAPPLIED = "unapplied"
MALFORMED_BODY = "malformed_body"
APP_WIDE = "app"


class Ingested(msgspec.Struct, frozen=True):
    """What became of a delivery: `stored` or `duplicate`, and whether it had its effect."""

    result: str
    event_id: WebhookEventId | None = None
    applied: bool = False


class IngestWebhook:
    """Storing, applying to bookings and invalidating the cache are one transaction."""

    def __init__(
        self,
        *,
        storage: Storage,
        reader: WebhookReader,
        jobs: Jobs,
        background: Background,
        clock: Clock,
        entropy: Entropy,
        signals: Signals,
        signing_keys: Sequence[Secret],
        tolerance: timedelta,
    ) -> None:
        self._storage = storage
        self._reader = reader
        self._jobs = jobs
        self._background = background
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._signing_keys = signing_keys
        self._tolerance = tolerance

    async def __call__(
        self, body: bytes, signature: str | None, subscription_key: str | None
    ) -> Ingested:
        """Take in a delivery; when this returns, it is durable.

        Args:
            body: the raw bytes as they arrived.
            signature: `Calendly-Webhook-Signature`.
            subscription_key: last part of the callback URL; None for the app-wide address.

        Raises:
            SignatureRejected, MalformedWebhook, SubscriptionNotFound: nothing is stored.
            StorageUnavailable: nothing is stored; Calendly will deliver again.

        """
        self._verify(body, signature)
        integration = await self._addressee(subscription_key)
        try:
            notice = self._reader.read(body)
        except MalformedWebhook:
            self._signals.webhook_received(MALFORMED_BODY)
            raise
        ingested = await self._store(body, notice, integration)
        self._signals.webhook_received(ingested.result)
        return ingested

    def _verify(self, body: bytes, signature: str | None) -> None:
        verdict = verify(body, signature, self._signing_keys, self._clock.now(), self._tolerance)
        if verdict is not Verdict.VALID:
            self._signals.webhook_received(verdict)
            raise SignatureRejected(REFUSALS[verdict], reason=verdict)

    async def _addressee(self, subscription_key: str | None) -> Integration | None:
        if subscription_key is None:
            return None
        integration_id = owner_of(subscription_key)
        integration = None
        if integration_id is not None:
            async with self._storage() as uow:
                integration = await uow.integrations.get(integration_id)
        if integration is None:
            self._signals.webhook_received("unknown_subscription")
            raise SubscriptionNotFound("No integration has this webhook subscription key.")
        return integration

    async def _store(
        self, body: bytes, notice: Notice, integration: Integration | None
    ) -> Ingested:
        if notice.unreadable is not None:
            return await self._store_unreadable(body, notice, notice.unreadable, integration)
        try:
            return await self._store_and_apply(body, notice, integration)
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a stored event is mended later; a lost one never is
            return await self._store_after(error, body, notice, integration)

    async def _store_and_apply(
        self, body: bytes, notice: Notice, addressee: Integration | None
    ) -> Ingested:
        now = self._clock.now()
        async with self._storage() as uow:
            integrations = await integrations_of(uow, notice, addressee)
            event = self._event(body, notice, integrations)
            if not await uow.webhook_events.store(event):
                return Ingested(DUPLICATE)
            reason = await apply_webhook(uow, self._entropy, notice, integrations, now)
            if reason is None:
                await uow.webhook_events.applied(event.id, now)
            else:
                await uow.webhook_events.ignored(event.id, reason, now)
            await uow.commit()
        self._signals.webhook_applied(notice.kind, APPLIED if reason is None else IGNORED)
        if reason == UNKNOWN_KIND:
            self._signals.webhook_unknown(event.id, notice.kind)
        return Ingested(STORED, event.id, applied=reason is None)

    async def _store_unreadable(
        self, body: bytes, notice: Notice, field: str, addressee: Integration | None
    ) -> Ingested:
        """Keep what only a later version may read; refusing it would end the subscription."""
        ingested = await self._store_pending(body, notice, addressee)
        if ingested.event_id is not None:
            self._signals.webhook_applied(notice.kind, UNREADABLE)
            self._signals.webhook_unapplied(ingested.event_id, UNREADABLE_ERROR, field)
        return ingested

    async def _store_after(
        self, error: Exception, body: bytes, notice: Notice, addressee: Integration | None
    ) -> Ingested:
        ingested = await self._store_pending(body, notice, addressee)
        if ingested.event_id is not None:
            self._signals.webhook_applied(notice.kind, UNAPPLIED)
            self._signals.webhook_unapplied(
                ingested.event_id, type(error).__name__, whereabouts(error)
            )
            self._background.run("apply_webhooks", self._nudge())
        return ingested

    async def _store_pending(
        self, body: bytes, notice: Notice, addressee: Integration | None
    ) -> Ingested:
        event = self._event(body, notice, [addressee] if addressee else [])
        async with self._storage() as uow:
            if not await uow.webhook_events.store(event):
                return Ingested(DUPLICATE)
            await uow.commit()
        return Ingested(STORED, event.id)

    def _event(
        self, body: bytes, notice: Notice, integrations: Sequence[Integration]
    ) -> WebhookEvent:
        # An app-wide delivery and one to a user's own address tell the same fact once.
        only = integrations[0] if len(integrations) == 1 else None
        return WebhookEvent(
            id=WebhookEventId(self._entropy.new_id()),
            dedupe_key=dedupe_key(notice, body, str(only.id) if only else APP_WIDE),
            kind=notice.kind,
            body=body,
            received_at=self._clock.now(),
            occurred_at=notice.occurred_at,
            integration_id=only.id if only else None,
            user_id=only.user_id if only else None,
        )

    async def _nudge(self) -> None:
        with suppress(JobsUnavailable):
            await self._jobs.apply_webhooks()
