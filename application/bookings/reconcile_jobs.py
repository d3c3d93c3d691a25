"""Reconcile the bookings of many integrations, page by page."""

from dataclasses import dataclass

from application.bookings.reconcile import Comparison, ReconcileBookings
from application.jobs.job_result import JobResult, Progress
from application.jobs.page_through import page_through
from application.ports.storage.unit_of_work import Storage
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId
from domain.integration import Integration


@dataclass(frozen=True, kw_only=True)
class ReconcileAll:
    """A count of repairs above zero means that webhooks were lost."""

    storage: Storage
    reconcile: ReconcileBookings
    concurrency: int

    async def __call__(
        self, cursor: str | None, limit: int, progress: Progress, *, wide: bool = False
    ) -> JobResult:
        """Reconcile a page of live integrations; the results are those of `Comparison`.

        Args:
            cursor: the end of the previous page; None for the first page.
            limit: integrations per page.
            progress: receives the counts so far.
            wide: use the window of a back-fill.

        """
        return await self._page(cursor, limit, progress, wide=wide, only_gaps=False)

    async def fill_gaps(self, cursor: str | None, limit: int, progress: Progress) -> JobResult:
        """Reconcile a page of the integrations with an open gap.

        This runs often and is cheap if there are no gaps. The run over all integrations closes
        gaps as well, but is rare.
        """
        return await self._page(cursor, limit, progress, wide=False, only_gaps=True)

    async def one(self, integration_id: IntegrationId, *, wide: bool = False) -> tuple[str, int]:
        """Reconcile one integration; return the result and the number of bookings concerned.

        Raises:
            IntegrationNotFound, ReauthRequired, CircuitOpen, the CalendlyError family.

        """
        async with self.storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No integration has this id.")
        compared = await self._compare(integration, wide=wide)
        return compared.result, compared.count

    async def _page(
        self, cursor: str | None, limit: int, progress: Progress, *, wide: bool, only_gaps: bool
    ) -> JobResult:
        async def reconcile(integration: Integration) -> str:
            return (await self._compare(integration, wide=wide)).result

        return await page_through(
            self.storage,
            reconcile,
            cursor=cursor,
            limit=limit,
            concurrency=self.concurrency,
            progress=progress,
            only_gaps=only_gaps,
        )

    async def _compare(self, integration: Integration, *, wide: bool) -> Comparison:
        # An integration that was never reconciled is back-filled: its changes were not lost.
        first_time = integration.reconciled_at is None
        return await self.reconcile.compare(integration.id, backfill=first_time, wide=wide)
