"""Replay stored webhooks: make them pending again, so that a job applies them; record each replay.

Applying is idempotent, so replaying an applied webhook changes nothing.
"""

from contextlib import suppress
from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import StoredWebhook
from application.webhooks.list_events import not_found
from domain.errors import JobsUnavailable
from domain.ids import WebhookEventId

PAGE = 500


@dataclass(frozen=True, kw_only=True)
class ReplayWebhook:
    """Starts the job immediately; if that fails, the schedule starts it within a minute."""

    storage: Storage
    jobs: Jobs
    clock: Clock

    async def __call__(self, event_id: WebhookEventId, by: str) -> StoredWebhook:
        """Replay one, with any status.

        Args:
            event_id: the webhook's id.
            by: the operator, for the record: `cli`, or the beginning of the API key.

        Raises:
            WebhookEventNotFound: no such event, or it was pruned.

        """
        async with self.storage() as uow:
            await uow.webhook_archive.replay([event_id], by, self.clock.now())
            webhook = await uow.webhook_archive.find(event_id)
            await uow.commit()
        if webhook is None:
            raise not_found(event_id)
        await self._start_job()
        return webhook

    async def dead_letters(self, by: str, reason: str | None = None) -> int:
        """Replay all dead letters, or those with a reason; return how many."""
        now, total, full = self.clock.now(), 0, True
        while full:
            async with self.storage() as uow:
                count = await uow.webhook_archive.replay_dead_letters(by, now, PAGE, reason)
                await uow.commit()
            total, full = total + count, count == PAGE
        if total:
            await self._start_job()
        return total

    async def _start_job(self) -> None:
        with suppress(JobsUnavailable):
            await self.jobs.apply_webhooks()
