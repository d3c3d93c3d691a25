"""Check the webhook subscriptions of all live integrations, and resume interrupted disconnects."""

from dataclasses import dataclass

from application.jobs.job_result import JobCounter, JobResult, Progress
from application.jobs.page_through import page_through
from application.ports.jobs import Jobs
from application.ports.storage.unit_of_work import Storage
from application.webhooks.ensure_subscription import EnsureSubscription
from domain.errors import JobsUnavailable

DISCONNECT_RESUMED = "disconnect_resumed"


@dataclass(frozen=True, kw_only=True)
class HealSubscriptions:
    """Finds subscriptions that Calendly disabled: it does so without notice after a day of failures.

    It also finds integrations whose disconnect was requested while Temporal was unavailable.
    """

    storage: Storage
    ensure: EnsureSubscription
    jobs: Jobs
    concurrency: int

    async def __call__(self, cursor: str | None, limit: int, progress: Progress) -> JobResult:
        """Check a page; the results are those of `EnsureSubscription`.

        The first page also starts the job of up to `limit` integrations that are being
        disconnected: `disconnect_resumed`. A job that already runs is not counted.
        """
        resumed = JobResult() if cursor else await self._resume(limit, progress)
        healed = await page_through(
            self.storage,
            lambda integration: self.ensure(integration.id),
            cursor=cursor,
            limit=limit,
            concurrency=self.concurrency,
            progress=lambda job_result: progress(resumed.plus(job_result)),
        )
        return resumed.plus(healed)

    async def _resume(self, limit: int, progress: Progress) -> JobResult:
        async with self.storage() as uow:
            disconnecting = await uow.integrations.disconnecting(limit)
        counter = JobCounter(progress)
        for integration in disconnecting:
            try:
                started = await self.jobs.disconnect(integration.id)
            except JobsUnavailable as error:
                counter.failed(error.code)
                break  # Each of the others would wait for the same timeout.
            if not started.already_running:
                counter.done(DISCONNECT_RESUMED)
        return counter.job_result
