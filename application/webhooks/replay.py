"""Put stored webhooks back, to be applied once more; each time is recorded.

Applying is idempotent, so replaying what was applied changes nothing, and does no harm.
"""

from contextlib import suppress

from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import StoredWebhook
from application.webhooks.list_events import not_found
from domain.errors import JobsUnavailable
from domain.ids import WebhookEventId

PAGE = 500


class ReplayWebhook:
    """Due at once: the job is started, and the schedule comes every minute should that fail."""

    def __init__(self, *, storage: Storage, jobs: Jobs, clock: Clock) -> None:
        self._storage = storage
        self._jobs = jobs
        self._clock = clock

    async def __call__(self, event_id: WebhookEventId, by: str) -> StoredWebhook:
        """Put one back, whatever its status.

        Args:
            event_id: which.
            by: who asks, for the record: `cli`, or the API key's beginning.

        Raises:
            WebhookEventNotFound: no such event, or it was pruned.

        """
        async with self._storage() as uow:
            await uow.webhook_archive.replay([event_id], by, self._clock.now())
            webhook = await uow.webhook_archive.find(event_id)
            await uow.commit()
        if webhook is None:
            raise not_found(event_id)
        await self._nudge()
        return webhook

    async def dead_letters(self, by: str, reason: str | None = None) -> int:
        """Put every dead letter back, or those with a reason; return how many."""
        now, total, full = self._clock.now(), 0, True
        while full:
            async with self._storage() as uow:
                count = await uow.webhook_archive.replay_dead_letters(by, now, PAGE, reason)
                await uow.commit()
            total, full = total + count, count == PAGE
        if total:
            await self._nudge()
        return total

    async def _nudge(self) -> None:
        with suppress(JobsUnavailable):
            await self._jobs.apply_webhooks()
