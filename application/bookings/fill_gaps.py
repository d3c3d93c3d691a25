"""Make up for webhooks that were lost while a subscription was down."""

from application.bookings.reconcile import ReconcileBookings
from application.jobs.job_result import JobResult, Progress
from application.jobs.page_through import page_through
from application.ports.storage.unit_of_work import Storage
from domain.integration import Integration


class FillGaps:
    """Goes through the integrations with an open gap alone: soon, and cheap when there are none.

    The sweep over all integrations closes gaps as well; it comes much more rarely.
    """

    def __init__(
        self, *, storage: Storage, reconcile: ReconcileBookings, concurrency: int
    ) -> None:
        self._storage = storage
        self._reconcile = reconcile
        self._concurrency = concurrency

    async def __call__(self, cursor: str | None, limit: int, progress: Progress) -> JobResult:
        """Work through a page; the results are those of `Comparison`."""
        return await page_through(
            self._storage,
            self._one,
            cursor=cursor,
            limit=limit,
            concurrency=self._concurrency,
            progress=progress,
            only_gaps=True,
        )

    async def _one(self, integration: Integration) -> str:
        # Whoever was never reconciled is back-filled: what is found then was not lost.
        first = integration.reconciled_at is None
        return (await self._reconcile.compare(integration.id, backfill=first)).result
