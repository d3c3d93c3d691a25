"""Replay stored webhooks: make them pending again, so that a job applies them; record each replay.

Applying is idempotent, so replaying an applied webhook changes nothing.
"""

from contextlib import suppress
from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import StoredWebhook
from application.security.audit_trail import AuditTrail
from application.webhooks.list_events import not_found
from domain.audit import Actor, AuditAction
from domain.errors import JobsUnavailable
from domain.ids import WebhookEventId

PAGE = 500


@dataclass(frozen=True, kw_only=True)
class ReplayWebhook:
    """Starts the job immediately; if that fails, the schedule starts it within a minute."""

    storage: Storage
    jobs: Jobs
    clock: Clock
    audit: AuditTrail

    async def __call__(self, event_id: WebhookEventId, by: Actor) -> StoredWebhook:
        """Replay one, with any status.

        Args:
            event_id: the webhook's id.
            by: the operator, for the record and the audit trail.

        Raises:
            WebhookEventNotFound: no such event, or it was pruned.

        """
        async with self.storage() as uow:
            await uow.webhook_archive.replay([event_id], by.name, self.clock.now())
            webhook = await uow.webhook_archive.find(event_id)
            if webhook is not None:
                await uow.audit.add(self.audit.entry(by, AuditAction.WEBHOOK_REPLAYED, event_id))
            await uow.commit()
        if webhook is None:
            raise not_found(event_id)
        await self._start_job()
        return webhook

    async def dead_letters(self, by: Actor, reason: str | None = None) -> int:
        """Replay all dead letters, or those with a reason; return how many."""
        now, total, full = self.clock.now(), 0, True
        while full:
            async with self.storage() as uow:
                count = await uow.webhook_archive.replay_dead_letters(by.name, now, PAGE, reason)
                if count:
                    act = AuditAction.DEAD_LETTERS_REPLAYED
                    await uow.audit.add(self.audit.entry(by, act, affected=count))
                await uow.commit()
            total, full = total + count, count == PAGE
        if total:
            await self._start_job()
        return total

    async def _start_job(self) -> None:
        with suppress(JobsUnavailable):
            await self.jobs.apply_webhooks()
