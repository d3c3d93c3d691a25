"""Store and apply one delivery; if that fails, store it for a job to apply.

This is the path for a delivery whose group failed, or that is known to wait for a lock. A delivery
that cannot be applied is still stored: only an outage of the database refuses it.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from application.jobs.error_location import error_location
from application.ports.background import Background
from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.telemetry import Telemetry
from application.webhooks.delivery import Delivery, IngestResult
from application.webhooks.lock_contention import Contention
from application.webhooks.store_batch import StoreBatch
from domain.errors import JobsUnavailable, StorageContended, StorageUnavailable

JOB_INTERVAL: Final = timedelta(seconds=1)
"""One start of the job serves all events of a burst; a schedule starts it every minute as well."""


class StoreOrDefer:
    """Each attempt is a batch of one delivery.

    Args:
        batch: waits for locks only as long as the sender may wait.
        patient_batch: stores events that refer to no integration. Such an event waits only for
            another transaction that stores the same event, so a longer wait is in order.
        contention: the locks that this process met; the inbox reads it as well.

    """

    def __init__(
        self,
        *,
        batch: StoreBatch,
        patient_batch: StoreBatch,
        contention: Contention,
        jobs: Jobs,
        background: Background,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._batch = batch
        self._patient_batch = patient_batch
        self._contention = contention
        self._jobs = jobs
        self._background = background
        self._clock = clock
        self._telemetry = telemetry
        self._job_started_at: datetime | None = None

    async def store(self, delivery: Delivery) -> IngestResult | None:
        """Store a delivery.

        Returns:
            The durable result; None if no integration has the delivery's address.

        Raises:
            StorageUnavailable: nothing is stored.

        """
        if delivery.webhook.unreadable is not None:
            return await self._store_pending(delivery)
        try:
            return await self._store_and_apply(delivery)
        except StorageContended as error:
            return await self._defer(delivery, error)
        except StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a stored event can be applied later, a lost one cannot
            return await self._defer(delivery, error)

    async def _store_and_apply(self, delivery: Delivery) -> IngestResult | None:
        if self._contention.is_backing_off(delivery):
            raise StorageContended("Another transaction locked this integration a moment ago.")
        try:
            (result,) = await self._batch.store([delivery])
        except StorageContended:
            self._contention.locked(delivery)
            raise
        self._contention.unlocked(delivery)
        return result

    async def _defer(self, delivery: Delivery, error: Exception) -> IngestResult | None:
        result = await self._store_pending(delivery)
        if result is not None and result.event_id is not None:
            self._telemetry.webhook_apply_failed(
                result.event_id, type(error).__name__, error_location(error)
            )
            self._start_job()
        return result

    async def _store_pending(self, delivery: Delivery) -> IngestResult | None:
        """Store the event unapplied; without its integration if that row is locked."""
        if self._contention.is_all_locked():
            raise StorageContended("No event could be stored a moment ago.", retry_after=1.0)
        if not self._contention.is_row_locked(delivery):
            try:
                (result,) = await self._batch.store_pending([delivery])
            except StorageContended:
                self._contention.locked(delivery, row=True)
            else:
                return result
        try:
            (result,) = await self._patient_batch.store_pending([delivery], linked=False)
        except StorageContended:
            self._contention.all_locked()
            raise
        return result

    def _start_job(self) -> None:
        now = self._clock.now()
        if self._job_started_at is None or now - self._job_started_at >= JOB_INTERVAL:
            self._job_started_at = now
            self._background.run("apply_webhooks", self._apply_webhooks())

    async def _apply_webhooks(self) -> None:
        with suppress(JobsUnavailable):
            await self._jobs.apply_webhooks()
