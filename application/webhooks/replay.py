"""Replay stored webhooks: make them pending again, so that a job applies them; record each replay.

Applying is idempotent, so replaying an applied webhook changes nothing.
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
    """Starts the job immediately; if that fails, the schedule starts it within a minute."""

    def __init__(self, *, storage: Storage, jobs: Jobs, clock: Clock) -> None:
        self._storage = storage
        self._jobs = jobs
        self._clock = clock

    async def __call__(self, event_id: WebhookEventId, by: str) -> StoredWebhook:
        """Replay one, with any status.

        Args:
            event_id: the webhook's id.
            by: the operator, for the record: `cli`, or the beginning of the API key.

        Raises:
            WebhookEventNotFound: no such event, or it was pruned.

        """
        async with self._storage() as uow:
            await uow.webhook_archive.replay([event_id], by, self._clock.now())
            webhook = await uow.webhook_archive.find(event_id)
            await uow.commit()
        if webhook is None:
            raise not_found(event_id)
        await self._start_job()
        return webhook

    async def dead_letters(self, by: str, reason: str | None = None) -> int:
        """Replay all dead letters, or those with a reason; return how many."""
        now, total, full = self._clock.now(), 0, True
        while full:
            async with self._storage() as uow:
                count = await uow.webhook_archive.replay_dead_letters(by, now, PAGE, reason)
                await uow.commit()
            total, full = total + count, count == PAGE
        if total:
            await self._start_job()
        return total

    async def _start_job(self) -> None:
        with suppress(JobsUnavailable):
            await self._jobs.apply_webhooks()
