"""Refresh a user's cached availability; one refresh a user at a time, in all processes.

The rule not to break: the worker decides what to fetch while it holds the lease. It stores the
results and releases the lease in one transaction. So nothing is fetched twice, and no older result
replaces a newer one.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from application.availability.fetch import FetchAvailability
from application.availability.refresh_run import (
    CacheRefreshOutcome,
    is_anything_wanted,
    run_refresh,
)
from application.availability.refresh_scope import AllEntries, CacheState, DueEntries, RefreshScope
from application.availability.retry_times import RETRY_AFTER, RetryTimes, retry_times_after
from application.jobs.error_location import report_bug
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.availability_cache import CacheEntry, CacheKind
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.telemetry import Telemetry
from application.resilience.shield import run_to_completion
from application.tokens.connected import require_connected
from domain.cache_policy import CachePolicy
from domain.errors import SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Integration

SYNCED = "synced"
PARTLY = "partly"
UP_TO_DATE = "up_to_date"
HELD = "held"
INACTIVE = "inactive"
LAST_STEP = 2.0  # seconds to release the lease when cancelled
# Longer than a fetch in which every call except the retried one times out.
FETCH_LEASE = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class RefreshCache:
    """Fetches and stores entries; those that fail keep their old content and an error code."""

    storage: Storage
    fetch: FetchAvailability
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    policy: CachePolicy
    owner: str

    async def __call__(self, integration_id: IntegrationId) -> str:
        """Refresh all entries of one integration that are not fresh; see `refresh`."""
        return await self.refresh(integration_id, AllEntries())

    async def refresh(self, integration_id: IntegrationId, scope: RefreshScope) -> str:
        """Fetch the entries of one integration that a scope wants.

        Returns:
            `synced`; `partly` when an entry failed; `up_to_date` when no entry was wanted.
            `held` when another owner holds the lease or took it during the fetch.
            `inactive` when the integration may not be fetched.

        Raises:
            IntegrationNotFound, and the error for which no entry at all could be fetched.

        """
        now = self.clock.now()
        owner = self.new_owner()
        async with self._releasing(integration_id, owner):
            async with self.storage() as uow:
                integration = require_connected(await uow.integrations.get(integration_id))
                queue = uow.sync_queue
                mine = await queue.take(integration_id, owner, now, now + FETCH_LEASE)
                held = not mine and await queue.is_held(integration_id, now)
                cache_state = await self._load(uow, integration) if mine else None
                await uow.commit()
            if cache_state is None:
                return HELD if held else INACTIVE
            outcome, stored = await self._run(cache_state, owner, scope)
        return self._end(integration, outcome, stored)

    async def refresh_claimed(self, integration_id: IntegrationId, claimed_by: str) -> str:
        """Refresh the due entries of a claimed integration, whose lease begins now.

        Raises as `refresh`. When the claim was lost the result is `held`.
        """
        now, owner = self.clock.now(), self.new_owner()
        async with self._releasing(integration_id, claimed_by, owner):
            async with self.storage() as uow:
                # Read again: the claim may be some minutes old.
                integration = require_connected(await uow.integrations.get(integration_id))
                if not await uow.sync_queue.transfer(
                    integration_id, claimed_by, to=owner, now=now, until=now + FETCH_LEASE
                ):
                    return HELD
                cache_state = await self._load(uow, integration)
                await uow.commit()
            outcome, stored = await self._run(cache_state, owner, DueEntries())
        return self._end(integration, outcome, stored)

    def new_owner(self) -> str:
        """Return a name to hold leases by.

        Several tasks of one process may refresh the same user, so each needs its own name.
        """
        return f"{self.owner}/{self.randomness.new_id()}"

    async def release_claims(
        self, integration_ids: Sequence[IntegrationId], claimed_by: str
    ) -> None:
        """Release claims that were not begun; other workers find these users due now."""
        leases = [(each, claimed_by) for each in integration_ids]
        await self._release(leases, self.clock.now())

    async def _load(self, uow: UnitOfWork, integration: Integration) -> CacheState:
        entries = await uow.availability.entries(integration.id)
        event_types = await uow.availability.read(integration.user_id, CacheKind.EVENT_TYPES)
        return CacheState(integration, entries, self.clock.now(), self.policy, event_types)

    async def _run(
        self, cache_state: CacheState, owner: str, scope: RefreshScope
    ) -> tuple[CacheRefreshOutcome, bool]:
        """Fetch and store; False when the lease was lost."""
        outcome = await run_refresh(self.fetch, cache_state, scope)
        return outcome, await self._store(cache_state, outcome, owner, scope)

    def _end(self, integration: Integration, outcome: CacheRefreshOutcome, stored: bool) -> str:
        errors = outcome.errors
        all_failed = bool(errors) and len(errors) == len(outcome.results)
        self._report(integration, outcome, errors[0].code if all_failed else _result(outcome))
        if all_failed:
            raise errors[0]
        return _result(outcome) if stored else HELD

    async def _store(
        self,
        cache_state: CacheState,
        outcome: CacheRefreshOutcome,
        owner: str,
        scope: RefreshScope,
    ) -> bool:
        """Store the results and release the lease; False when it was lost."""
        now = self.clock.now()
        fraction = self.randomness.fraction()
        retry_times = retry_times_after(outcome.errors, now, self.policy, fraction)
        after = outcome.state_after(cache_state, retry_times)
        due_at = _due_at(outcome, after, retry_times, scope, now)
        integration = cache_state.integration
        synced_at = now if outcome.changed or outcome.unchanged else None
        async with self.storage() as uow:
            # The first statement proves that the lease is still held. It also locks the
            # integration before its entries, in the order in which an erasure locks them.
            if not await uow.sync_queue.finish(
                integration.id, owner, synced_at=synced_at, due_at=due_at
            ):
                return False
            cache, user_id = uow.availability, integration.user_id
            if outcome.changed:
                await cache.put(user_id, integration.id, outcome.changed)
            if outcome.unchanged:
                await cache.renew(user_id, integration.id, outcome.unchanged)
            if outcome.errors:
                await cache.mark_failed(user_id, integration.id, _failed(outcome, retry_times))
            if outcome.list_changed:
                await cache.keep_only(user_id, CacheKind.SLOTS, outcome.active or ())
            if outcome.obsolete:
                await cache.drop(user_id, outcome.obsolete)
            await uow.commit()
        return True

    @asynccontextmanager
    async def _releasing(self, integration_id: IntegrationId, *owners: str) -> AsyncIterator[None]:
        """Release the lease of a refresh that ends before it has stored.

        After a cancellation, as by a shutdown, the user is due now. After a bug, or while the
        store is unavailable, other workers retry after RETRY_AFTER.
        """
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            backoff = RETRY_AFTER if isinstance(error, Exception) else timedelta()
            # An owner that lost the lease, or never had it, changes nothing.
            leases = [(integration_id, each) for each in owners]
            await run_to_completion(
                self._release(leases, self.clock.now() + backoff), seconds=LAST_STEP
            )
            raise

    async def _release(
        self, leases: Sequence[tuple[IntegrationId, str]], due_at: datetime
    ) -> None:
        with suppress(SlotkeeperError):
            async with self.storage() as uow:
                for integration_id, owner in leases:
                    await uow.sync_queue.finish(
                        integration_id, owner, synced_at=None, due_at=due_at
                    )
                await uow.commit()

    def _report(self, integration: Integration, outcome: CacheRefreshOutcome, result: str) -> None:
        for each in outcome.results:
            success = "unchanged" if each.unchanged else "fetched"
            code = each.error.code if each.error else success
            self.telemetry.availability_fetched(each.entry.kind, code)
            if each.entry.skipped:
                self.telemetry.availability_skipped(
                    integration.id, each.entry.kind, each.entry.skipped
                )
            if each.bug is not None:
                report_bug(self.telemetry, each.bug)
        if outcome.results:
            self.telemetry.availability_sync(integration.id, result)


def _result(outcome: CacheRefreshOutcome) -> str:
    if not outcome.results:
        return UP_TO_DATE
    return PARTLY if outcome.errors else SYNCED


def _failed(outcome: CacheRefreshOutcome, retry_times: RetryTimes) -> list[CacheEntry]:
    return [
        replace(each.entry, retry_at=retry_times.of(each.error))
        for each in outcome.results
        if each.error is not None
    ]


def _due_at(
    outcome: CacheRefreshOutcome,
    after: CacheState,
    retry_times: RetryTimes,
    scope: RefreshScope,
    now: datetime,
) -> datetime:
    """Return when the user is due again: now, if a caller's refresh left due entries."""
    is_sync = isinstance(scope, DueEntries)
    if not is_sync and is_anything_wanted(DueEntries(), after, outcome.active):
        return now
    return after.due_at(retry_times.due_at)
