"""Refresh a page of the integrations whose tokens would die before the next run ends."""

import math
from datetime import timedelta
from functools import partial
from typing import Final

from application.jobs.error_location import report_bug
from application.jobs.job_result import LEFT_FOR_LATER, JobCounter, JobResult, Progress
from application.jobs.run_rows import run_rows
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.ports.unsaved_tokens import UnsavedTokens
from application.resilience.circuit_breakers import CircuitBreakers
from application.resilience.rate_limit import RateLimiter
from application.tokens.recover_tokens import RecoverTokens
from application.tokens.refresh_under_lease import RefreshUnderLease
from domain.errors import (
    CircuitOpen,
    ClientRefused,
    RefreshInProgress,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.integration import Integration, Lease

# A row whose next attempt lies further ahead is left for the next run.
LONGEST_WAIT: Final = timedelta(minutes=15)
PUT_OFF: Final = "put_off"
# The breakers that a run waits for, and what it says then.
_HELD_BY: Final = {
    Surface.OAUTH: CircuitOpen.code,
    Surface.MASS_REFUSAL: str(Surface.MASS_REFUSAL),
}


class RefreshDueTokens:
    """The proactive refresh; several workers may run it side by side."""

    def __init__(
        self,
        *,
        storage: Storage,
        refresh: RefreshUnderLease,
        recover: RecoverTokens,
        circuit_breakers: CircuitBreakers,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        owner: str,
        lease_ttl: timedelta,
        horizon: timedelta,
        concurrency: int,
        per_second: float,
        client_id: str,
    ) -> None:
        self._storage = storage
        self._refresh = refresh
        self._recover = recover
        self._circuit_breakers = circuit_breakers
        self._clock = clock
        self._telemetry = telemetry
        self._owner = owner
        self._lease_ttl = lease_ttl
        self._horizon = horizon
        self._concurrency = concurrency
        self._rate_limiter = RateLimiter(per_second, randomness)
        self._client_id = client_id

    async def __call__(
        self, limit: int, progress: Progress, unsaved_tokens: UnsavedTokens | None = None
    ) -> JobResult:
        """Claim up to `limit` due integrations and refresh each; none stops the others.

        Unsaved tokens of an earlier attempt are stored first. While the breaker of Calendly's OAuth
        or the brake of mass refusals is open nothing is claimed; if it allows a probe, one
        integration is claimed. Refused grants whose time has come are asked again. Grants of
        another client are passed over, and counted as `client_refused` when the run ends.

        Raises:
            StorageUnavailable: unsaved tokens remain; the next attempt stores them.

        Returns:
            The counts; with `resume_in` if more work is due a little later.

        """
        counter = JobCounter(progress)
        if unsaved_tokens is not None:
            await self._recover_all(unsaved_tokens, counter)
        for surface, reason in _HELD_BY.items():
            held = await self._circuit_breakers.wait(surface)
            if held is not None:
                return counter.waiting(held_by=reason, resume_in=_seconds(held))
        page = limit
        for surface in _HELD_BY:
            limit = await self._circuit_breakers.room(surface, limit)
        # A refused grant would prove nothing as a probe.
        claimed = await self._claim(limit, asks_again=limit == page)
        await run_rows(
            claimed,
            lambda row: self._one(*row, unsaved_tokens),
            concurrency=self._concurrency,
            counter=counter,
            unexpected=partial(report_bug, self._telemetry),
        )
        if unsaved_tokens is not None and unsaved_tokens.kept():
            # They are kept for as long as this page does not end well.
            raise StorageUnavailable("New tokens wait to be stored.", retry_after=5)
        if len(claimed) == limit:
            return counter.page(more=True)
        return await self._end(counter)

    async def _recover_all(self, unsaved_tokens: UnsavedTokens, counter: JobCounter) -> None:
        for pair in unsaved_tokens.kept():
            try:
                counter.done(await self._recover.run(pair, unsaved_tokens))
            except SlotkeeperError as error:
                counter.failed(error.code)

    async def _claim(self, limit: int, *, asks_again: bool) -> list[tuple[Integration, Lease]]:
        now = self._clock.now()
        until = now + self._lease_ttl
        async with self._storage() as uow:
            claimed = await uow.refresh_queue.claim_due(
                self._owner, now, until, now + self._horizon, limit, client_id=self._client_id
            )
            if asks_again and len(claimed) < limit:
                claimed += await uow.refresh_queue.claim_refused(
                    self._owner, now, until, limit - len(claimed), client_id=self._client_id
                )
            await uow.commit()
        return claimed

    async def _one(
        self, integration: Integration, lease: Lease, unsaved_tokens: UnsavedTokens | None
    ) -> str:
        await self._rate_limiter.acquire()
        if lease.expires_at <= self._clock.now():
            # No exchange may begin under it any more, nor under one that was lost.
            return LEFT_FOR_LATER
        try:
            await self._refresh.run(integration, lease, unsaved_tokens)
        except RefreshInProgress:
            return LEFT_FOR_LATER
        return "refreshed"

    async def _end(self, counter: JobCounter) -> JobResult:
        """Return the last page's counts, with a wait for attempts that are due soon."""
        now = self._clock.now()
        async with self._storage() as uow:
            upcoming = await uow.refresh_queue.next_attempt(now, now + self._horizon)
            foreign = await uow.refresh_queue.count_foreign(now + self._horizon, self._client_id)
        if upcoming is None or upcoming - now > LONGEST_WAIT:
            # They count at the end of a run alone: a run that resumes passes over them again.
            if foreign:
                self._telemetry.foreign_grants(foreign)
                counter.failed(ClientRefused.code, foreign)
            return counter.page(more=False)
        return counter.waiting(held_by=PUT_OFF, resume_in=_seconds(upcoming - now))


def _seconds(wait: timedelta) -> int:
    """Return whole seconds, rounded up and at least one: a run never spins."""
    return max(math.ceil(wait.total_seconds()), 1)
