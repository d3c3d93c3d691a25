"""Reconcile the bookings of all live integrations."""

from application.bookings.reconcile import Comparison, ReconcileBookings
from application.jobs.job_result import JobResult, Progress
from application.jobs.page_through import page_through
from application.ports.storage.unit_of_work import Storage
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId
from domain.integration import Integration


class ReconcileAll:
    """A count of repairs above zero means that webhooks were lost."""

    def __init__(
        self, *, storage: Storage, reconcile: ReconcileBookings, concurrency: int
    ) -> None:
        self._storage = storage
        self._reconcile = reconcile
        self._concurrency = concurrency

    async def __call__(
        self, cursor: str | None, limit: int, progress: Progress, *, wide: bool = False
    ) -> JobResult:
        """Reconcile a page; the results are those of `Comparison`.

        `wide` looks as far as after connecting.
        """
        return await page_through(
            self._storage,
            lambda integration: self._result(integration, wide=wide),
            cursor=cursor,
            limit=limit,
            concurrency=self._concurrency,
            progress=progress,
        )

    async def one(self, integration_id: IntegrationId, *, wide: bool = False) -> tuple[str, int]:
        """Reconcile one integration; return the result and how many bookings it is about.

        Raises:
            IntegrationNotFound, ReauthRequired, CircuitOpen, the CalendlyError family.

        """
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No integration has this id.")
        compared = await self._compare(integration, wide=wide)
        return compared.result, compared.count

    async def _compare(self, integration: Integration, *, wide: bool) -> Comparison:
        # One whose onboarding never got this far is back-filled here.
        first_time = integration.reconciled_at is None
        return await self._reconcile.compare(integration.id, backfill=first_time, wide=wide)

    async def _result(self, integration: Integration, *, wide: bool) -> str:
        return (await self._compare(integration, wide=wide)).result


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
