"""Reconcile the bookings of many integrations, page by page.

The rule not to break: one integration delays no other one. The least recently compared comes first,
each has a budget of time, and no failure ends a page.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from application.bookings.reconcile import BUDGET, ReconcileBookings
from application.jobs.error_location import report_bug
from application.jobs.job_result import JobCounter, JobResult, Progress
from application.jobs.run_rows import run_rows
from application.ports.clock import Clock
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId
from domain.integration import Integration
from domain.reconcile_order import Place


@dataclass(frozen=True, kw_only=True)
class ReconcileAll:
    """A count of repairs above zero means that webhooks were lost."""

    storage: Storage
    reconcile: ReconcileBookings
    clock: Clock
    telemetry: Telemetry
    concurrency: int
    budget: timedelta = BUDGET

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
        return await self._page(cursor, limit, progress, wide=wide, only_unfinished=False)

    async def fill_gaps(self, cursor: str | None, limit: int, progress: Progress) -> JobResult:
        """Reconcile a page of the integrations with an open gap or an unfinished comparison.

        This runs often and is cheap if there are none. The run over all integrations closes gaps
        as well, but is rare.
        """
        return await self._page(cursor, limit, progress, wide=False, only_unfinished=True)

    async def one(self, integration_id: IntegrationId, *, wide: bool = False) -> tuple[str, int]:
        """Reconcile one integration; return the result and the number of bookings concerned.

        Raises:
            IntegrationNotFound, ReauthRequired, CircuitOpen, the CalendlyError family.

        """
        async with self.storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No integration has this id.")
        compared = await self.reconcile.compare(
            integration.id, backfill=_is_first(integration), wide=wide
        )
        return compared.result, compared.count

    async def _page(
        self,
        cursor: str | None,
        limit: int,
        progress: Progress,
        *,
        wide: bool,
        only_unfinished: bool,
    ) -> JobResult:
        place = Place.read(cursor, self.clock.now())
        async with self.storage() as uow:
            page = await uow.integrations.to_reconcile(
                place, limit, only_unfinished=only_unfinished
            )

        async def reconcile(integration: Integration) -> str:
            compared = await self.reconcile.compare(
                integration.id,
                backfill=_is_first(integration),
                wide=wide,
                began_at=place.began_at,
                budget=self.budget,
            )
            return compared.result

        counter = JobCounter(progress)
        await run_rows(
            page,
            reconcile,
            concurrency=self.concurrency,
            counter=counter,
            unexpected=partial(report_bug, self.telemetry),
        )
        if page:
            place = Place(place.began_at, page[-1].id, page[-1].reconciled_at)
        more = len(page) == limit
        if not more:
            await self._report_oldest()
        return counter.page(more=more, cursor=place.written())

    async def _report_oldest(self) -> None:
        async with self.storage() as uow:
            oldest = await uow.integrations.oldest_reconciled()
        self.telemetry.oldest_reconciled(oldest)


def _is_first(integration: Integration) -> bool:
    """Whether it was never reconciled; then it is back-filled, and its changes were not lost."""
    return integration.reconciled_at is None
