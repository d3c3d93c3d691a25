"""Store and apply one delivery in a transaction of its own.

The way for a delivery whose group could not be stored, or that is known to meet somebody's lock.
The rule not to break: what cannot be applied is stored all the same; only an outage of the store
turns a delivery away.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from application.jobs.error_location import error_location
from application.ports.background import Background
from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.randomness import Randomness
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.telemetry import Telemetry
from application.webhooks.apply import (
    UNREADABLE,
    integrations_of,
    invalidate_cache,
    settle_notice,
    why_ignored,
)
from application.webhooks.delivery import (
    DUPLICATE,
    STORED,
    UNAPPLIED,
    Delivery,
    IngestResult,
    event_of,
    unlinked,
)
from application.webhooks.lock_contention import Contention
from domain.errors import (
    JobsUnavailable,
    StorageContended,
    StorageUnavailable,
    SubscriptionNotFound,
)
from domain.ids import WebhookEventId
from domain.integration import Integration

# A burst that meets one lock needs one job; what it passes over is swept each minute.
NUDGE_EVERY: Final = timedelta(seconds=1)


class StoreWebhook:
    """Storing, applying to bookings and invalidating the cache are one transaction.

    Args:
        storage: waits for locks only as long as the one who delivered may wait.
        aside: where an event is stored that refers to its user alone, as its integration's row
            is held. It meets no lock there but that of the very same event, which is worth
            waiting for somewhat longer.
        contention: what is known to meet locks, shared with whoever asks before coming here.

    """

    def __init__(
        self,
        *,
        storage: Storage,
        aside: Storage,
        contention: Contention,
        jobs: Jobs,
        background: Background,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
    ) -> None:
        self._storage = storage
        self._aside = aside
        self._contention = contention
        self._jobs = jobs
        self._background = background
        self._clock = clock
        self._randomness = randomness
        self._telemetry = telemetry
        self._nudged_at: datetime | None = None

    async def __call__(self, delivery: Delivery) -> IngestResult:
        """Store a delivery; when this returns, it is durable.

        Raises:
            SubscriptionNotFound: its address is nobody's.
            StorageUnavailable: nothing is stored.

        """
        if delivery.webhook.unreadable is not None:
            return await self._store_pending(delivery, UNREADABLE)
        try:
            return await self._attempt(delivery)
        except StorageContended as error:
            return await self._store_after(error, delivery)
        except (StorageUnavailable, SubscriptionNotFound):
            raise
        except Exception as error:  # noqa: BLE001 - a stored event is mended later; a lost one never is
            return await self._store_after(error, delivery)

    async def _attempt(self, delivery: Delivery) -> IngestResult:
        if self._contention.is_backing_off(delivery):
            raise StorageContended("Somebody else held this integration a moment ago.")
        try:
            ingested = await self._store_and_apply(delivery)
        except StorageContended:
            self._contention.locked(delivery)
            raise
        self._contention.unlocked(delivery)
        return ingested

    async def _store_and_apply(self, delivery: Delivery) -> IngestResult:
        webhook = delivery.webhook
        async with self._storage() as uow:
            concerned = await integrations_of(uow, webhook, await _addressee(uow, delivery))
            reason = why_ignored(webhook, concerned)
            if reason is None:
                await settle_notice(uow, self._randomness, webhook, concerned)
            event = event_of(delivery, concerned, self._randomness)
            if not await uow.webhook_events.store(event):
                return IngestResult(DUPLICATE)  # without a commit: what was settled is undone
            await self._conclude(uow, event.id, delivery, concerned, reason)
            await uow.commit()
        return IngestResult(STORED, event.id, applied=reason is None, reason=reason)

    async def _conclude(
        self,
        uow: UnitOfWork,
        event_id: WebhookEventId,
        delivery: Delivery,
        concerned: Sequence[Integration],
        reason: str | None,
    ) -> None:
        now = self._clock.now()
        if reason is None:
            await invalidate_cache(uow, delivery.webhook, concerned, now)
            await uow.webhook_events.applied(event_id, now)
        else:
            await uow.webhook_events.ignored(event_id, reason, now)

    async def _store_after(self, error: Exception, delivery: Delivery) -> IngestResult:
        ingested = await self._store_pending(delivery, UNAPPLIED)
        if ingested.event_id is not None:
            self._telemetry.webhook_unapplied(
                ingested.event_id, type(error).__name__, error_location(error)
            )
            self._nudge()
        return ingested

    async def _store_pending(self, delivery: Delivery, reason: str) -> IngestResult:
        """Store what somebody will apply later, be it without a link to a row that is held."""
        if self._contention.is_all_held():
            raise StorageContended("Nothing could be stored a moment ago.", retry_after=1.0)
        if not self._contention.is_held_whole(delivery):
            try:
                return await self._store_in(self._storage, delivery, reason, linked=True)
            except StorageContended:
                self._contention.locked(delivery, whole=True)
        try:
            return await self._store_in(self._aside, delivery, reason, linked=False)
        except StorageContended:
            self._contention.met_all()
            raise

    async def _store_in(
        self, storage: Storage, delivery: Delivery, reason: str, *, linked: bool
    ) -> IngestResult:
        async with storage() as uow:
            addressee = await _addressee(uow, delivery)
            concerned = await integrations_of(uow, delivery.webhook, addressee)
            event = event_of(delivery, concerned, self._randomness)
            if not await uow.webhook_events.store(event if linked else unlinked(event)):
                return IngestResult(DUPLICATE)
            await uow.commit()
        return IngestResult(STORED, event.id, reason=reason)

    def _nudge(self) -> None:
        """Start the job that applies what is left, unless that was done a moment ago."""
        now = self._clock.now()
        if self._nudged_at is None or now - self._nudged_at >= NUDGE_EVERY:
            self._nudged_at = now
            self._background.run("apply_webhooks", self._start_job())

    async def _start_job(self) -> None:
        with suppress(JobsUnavailable):
            await self._jobs.apply_webhooks()


async def _addressee(uow: UnitOfWork, delivery: Delivery) -> Integration | None:
    if delivery.integration_id is None:
        return None
    found = await uow.integrations.get(delivery.integration_id)
    if found is None:
        raise SubscriptionNotFound("No integration has this webhook subscription key.")
    return found
