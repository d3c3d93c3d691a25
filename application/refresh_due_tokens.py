"""Refresh a page of the integrations whose tokens would die before the next run ends."""

import asyncio
from datetime import timedelta

from application.exchange_tokens import ExchangeTokens
from application.ports.clock import Clock
from application.ports.unit_of_work import Storage
from application.tally import Counting, Progress, Tally
from domain.errors import RefreshInProgress, SlotkeeperError
from domain.integration import Integration, Lease


class RefreshDueTokens:
    """The proactive refresh; several workers may run it side by side."""

    def __init__(
        self,
        *,
        storage: Storage,
        exchange: ExchangeTokens,
        clock: Clock,
        owner: str,
        lease_ttl: timedelta,
        horizon: timedelta,
        concurrency: int,
    ) -> None:
        self._storage = storage
        self._exchange = exchange
        self._clock = clock
        self._owner = owner
        self._lease_ttl = lease_ttl
        self._horizon = horizon
        self._concurrency = concurrency

    async def __call__(self, limit: int, progress: Progress) -> Tally:
        """Claim up to `limit` due integrations and refresh each; none stops the others."""
        now = self._clock.now()
        async with self._storage() as uow:
            claimed = await uow.refresh_queue.claim_due(
                self._owner, now, now + self._lease_ttl, now + self._horizon, limit
            )
            await uow.commit()
        counting = Counting(progress)
        gate = asyncio.Semaphore(self._concurrency)
        async with asyncio.TaskGroup() as group:
            for integration, lease in claimed:
                group.create_task(self._one(integration, lease, gate, counting))
        return counting.page(more=len(claimed) == limit)

    async def _one(
        self, integration: Integration, lease: Lease, gate: asyncio.Semaphore, counting: Counting
    ) -> None:
        async with gate:
            if lease.expires_at <= self._clock.now():
                # No exchange may begin under it any more, nor under one that was lost.
                counting.done("left_for_later")
                return
            try:
                await self._exchange(integration, lease)
            except RefreshInProgress:
                counting.done("left_for_later")
            except SlotkeeperError as error:
                counting.failed(error.code)
            else:
                counting.done("refreshed")
