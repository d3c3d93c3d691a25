"""Reconcile the bookings of all live integrations."""

from application.ports.unit_of_work import Storage
from application.reconcile_bookings import ReconcileBookings
from application.sweep import sweep
from application.tally import Progress, Tally
from domain.integration import Integration

REPAIRED = "repaired"
UNCHANGED = "unchanged"
BACKFILLED = "backfilled"


class ReconcileAll:
    """A count of repairs above zero means that webhooks were lost."""

    def __init__(
        self, *, storage: Storage, reconcile: ReconcileBookings, concurrency: int
    ) -> None:
        self._storage = storage
        self._reconcile = reconcile
        self._concurrency = concurrency

    async def __call__(self, cursor: str | None, limit: int, progress: Progress) -> Tally:
        """Reconcile a page; results are `unchanged`, `repaired`, `backfilled`."""
        return await sweep(
            self._storage,
            self._one,
            cursor=cursor,
            limit=limit,
            concurrency=self._concurrency,
            progress=progress,
        )

    async def _one(self, integration: Integration) -> str:
        # One whose onboarding never got this far is back-filled here.
        first_time = integration.reconciled_at is None
        changed = await self._reconcile(integration.id, backfill=first_time)
        if first_time:
            return BACKFILLED
        return REPAIRED if changed else UNCHANGED
