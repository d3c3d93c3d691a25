"""Sync a page of the users who are due: something they read expired, was overtaken or is missing.

A user of whom nothing is wanted costs no call to Calendly.
"""

from datetime import datetime

from application.ports.clock import Clock
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.rows_at_once import work_on_each
from application.sync_availability import TURN, SyncAvailability
from application.tally import LEFT_FOR_LATER, Counting, Progress, Tally
from application.whereabouts import whereabouts
from domain.integration import Integration

UNEXPECTED = "unexpected"


class SyncDueAvailability:
    """The 15-minute sync; several workers may run it side by side."""

    def __init__(
        self,
        *,
        storage: Storage,
        sync: SyncAvailability,
        clock: Clock,
        signals: Signals,
        concurrency: int,
    ) -> None:
        self._storage = storage
        self._sync = sync
        self._clock = clock
        self._signals = signals
        self._concurrency = concurrency

    async def __call__(self, limit: int, progress: Progress) -> Tally:
        """Claim up to `limit` due integrations and sync each; none stops the others."""
        now = self._clock.now()
        until = now + TURN
        async with self._storage() as uow:
            claimed = await uow.sync_queue.claim_due(self._sync.owner, now, until, limit)
            await uow.commit()
        counting = Counting(progress)
        await work_on_each(
            claimed,
            lambda integration: self._one(integration, until),
            concurrency=self._concurrency,
            counting=counting,
            unexpected=self._unexpected,
        )
        return counting.page(more=len(claimed) == limit)

    async def _one(self, integration: Integration, until: datetime) -> str:
        if until <= self._clock.now():
            return LEFT_FOR_LATER
        return await self._sync.run(integration.id)

    def _unexpected(self, error: Exception) -> str:
        self._signals.unexpected(type(error).__name__, whereabouts(error))
        return UNEXPECTED
