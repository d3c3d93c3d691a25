"""Sync a page of due users: those with entries that expired, were invalidated or are missing.

A user without a wanted entry costs no call to Calendly.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from application.availability.refresh_cache import FETCH_LEASE, LAST_STEP, RefreshCache
from application.jobs.error_location import report_bug
from application.jobs.job_result import JobCounter, JobResult, Progress
from application.jobs.run_rows import run_rows
from application.ports.clock import Clock
from application.ports.storage.breakers import Surface
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.resilience.circuit_breakers import CircuitBreakers
from application.resilience.shield import run_to_completion
from domain.ids import IntegrationId

CLAIMED_AHEAD = 2  # times the concurrency, so that no lease is held unused for long


@dataclass(frozen=True, kw_only=True)
class SyncDueAvailability:
    """The 15-minute sync; several workers may run it side by side."""

    storage: Storage
    refresh_cache: RefreshCache
    circuit_breakers: CircuitBreakers
    clock: Clock
    telemetry: Telemetry
    concurrency: int

    async def __call__(self, limit: int, progress: Progress) -> JobResult:
        """Claim up to `limit` due integrations and sync each; a failure stops no other one.

        While the breaker of Calendly's API is open nothing is claimed. When it allows a probe, one
        integration is claimed.
        """
        counter, left = JobCounter(progress), limit
        while left > 0:
            room = await self._room(left)
            claimed = await self._sync_some(room, counter) if room else 0
            if room == 0 or claimed < room:
                return counter.page(more=False)
            left -= claimed
        return counter.page(more=True)

    async def _room(self, left: int) -> int:
        if await self.circuit_breakers.wait(Surface.API) is not None:
            return 0
        most = min(left, CLAIMED_AHEAD * self.concurrency)
        return await self.circuit_breakers.room(Surface.API, most)

    async def _sync_some(self, room: int, counter: JobCounter) -> int:
        """Return how many were due, at most `room`."""
        now, owner = self.clock.now(), self.refresh_cache.new_owner()
        async with self.storage() as uow:
            due = await uow.sync_queue.claim_due(owner, now, now + FETCH_LEASE, room)
            await uow.commit()
        claimed = [each.id for each in due]

        async def one(integration_id: IntegrationId) -> str:
            return await self.refresh_cache.refresh_claimed(integration_id, owner)

        try:
            await run_rows(
                claimed,
                one,
                concurrency=self.concurrency,
                counter=counter,
                unexpected=partial(report_bug, self.telemetry),
            )
        except asyncio.CancelledError:
            # A refresh that has begun releases its own lease.
            release = self.refresh_cache.release_claims(claimed, owner)
            await run_to_completion(release, seconds=LAST_STEP)
            raise
        return len(claimed)
