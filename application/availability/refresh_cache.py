"""Bring a user's cached availability up to date; one refresh a user at a time, in all processes.

The rule not to break: what is wanted is decided under the right to fetch, and what was fetched is
stored together with giving the right back, so nothing is fetched twice and nothing old is stored.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from application.availability.fetch import FetchAvailability
from application.availability.refresh_run import CacheRefreshOutcome, RunRefresh, left_over
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
LAST_STEP = 2.0  # seconds to give the right back when cut off
FETCH_LEASE = timedelta(
    minutes=2
)  # longer than a fetch with every call timing out but the retried


class RefreshCache:
    """Fetches and stores; parts that failed keep their old content and say why."""

    def __init__(
        self,
        *,
        storage: Storage,
        fetch: FetchAvailability,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        policy: CachePolicy,
        owner: str,
    ) -> None:
        self._storage = storage
        self._carry_out = RunRefresh(fetch)
        self._clock = clock
        self._randomness = randomness
        self._telemetry = telemetry
        self._policy = policy
        self.owner = owner

    async def __call__(self, integration_id: IntegrationId) -> str:
        """Fill one integration's cache with all that is not fresh; see `refresh`."""
        return await self.refresh(integration_id, AllEntries())

    async def refresh(self, integration_id: IntegrationId, refresh_scope: RefreshScope) -> str:
        """Fetch what an errand wants of one integration.

        Returns:
            `synced`, `partly` when a part failed, `up_to_date` when nothing was wanted (any
            more), `held` when somebody else is at it or took it over meanwhile, or `inactive`
            when it may not be fetched from.

        Raises:
            IntegrationNotFound, and the error for which nothing at all could be fetched.

        """
        now = self._clock.now()
        owner = self.new_owner()
        async with self._handing_back(integration_id, owner):
            async with self._storage() as uow:
                integration = require_connected(await uow.integrations.get(integration_id))
                queue = uow.sync_queue
                mine = await queue.take(integration_id, owner, now, now + FETCH_LEASE)
                held = not mine and await queue.is_held(integration_id, now)
                stock = await _stock(uow, integration) if mine else None
                await uow.commit()
            if stock is None:
                return HELD if held else INACTIVE
            outcome, stored = await self._run(stock, owner, refresh_scope)
        return self._end(stock.integration, outcome, stored)

    async def run(self, integration_id: IntegrationId, claimed_by: str) -> str:
        """Refill what is due of an integration that was claimed; its turn begins now.

        Raises as `refresh`. A claim that was lost meanwhile is `held`.
        """
        now, owner = self._clock.now(), self.new_owner()
        async with self._handing_back(integration_id, claimed_by, owner):
            async with self._storage() as uow:
                # As it is now: the claim may be a while old.
                integration = require_connected(await uow.integrations.get(integration_id))
                if not await uow.sync_queue.hand_on(
                    integration_id, claimed_by, to=owner, until=now + FETCH_LEASE
                ):
                    return HELD
                stock = await _stock(uow, integration)
                await uow.commit()
            outcome, stored = await self._run(stock, owner, DueEntries())
        return self._end(stock.integration, outcome, stored)

    def new_owner(self) -> str:
        """Return a name to hold rights by.

        Several tasks of one process may want the same user: each needs a name of its own.
        """
        return f"{self.owner}/{self._randomness.new_id()}"

    async def release_claims(
        self, integration_ids: Sequence[IntegrationId], claimed_by: str
    ) -> None:
        """Give back what was claimed and not begun; others find it due now."""
        rights = [(each, claimed_by) for each in integration_ids]
        await self._give_back(rights, self._clock.now())

    async def _run(
        self, stock: "_CacheState", owner: str, refresh_scope: RefreshScope
    ) -> tuple[CacheRefreshOutcome, bool]:
        """Fetch and store; False when the right was lost meanwhile."""
        cache_state = CacheState(stock.integration, stock.entries, self._clock.now(), self._policy)
        outcome = await self._carry_out(cache_state, refresh_scope, stock.listed)
        return outcome, await self._store(cache_state, outcome, owner, refresh_scope)

    def _end(self, integration: Integration, outcome: CacheRefreshOutcome, stored: bool) -> str:
        errors = outcome.errors
        nothing_came = bool(errors) and len(errors) == len(outcome.fetched)
        self._tell(integration, outcome, errors[0].code if nothing_came else _result(outcome))
        if nothing_came:
            raise errors[0]
        return _result(outcome) if stored else HELD

    async def _store(
        self,
        cache_state: CacheState,
        outcome: CacheRefreshOutcome,
        owner: str,
        refresh_scope: RefreshScope,
    ) -> bool:
        """Store what came and give the right back; False when it was lost meanwhile."""
        now = self._clock.now()
        rests = retry_times_after(outcome.errors, now, self._policy, self._randomness.fraction())
        due_at = _due_at(outcome, outcome.leaves(cache_state, rests), rests, refresh_scope, now)
        integration = cache_state.integration
        synced_at = now if outcome.came or outcome.renewed else None
        async with self._storage() as uow:
            # First of all: it proves that the right still stands, and it locks the integration
            # before its parts, the order in which an erasure locks them.
            if not await uow.sync_queue.finish(
                integration.id, owner, synced_at=synced_at, due_at=due_at
            ):
                return False
            cache, user_id = uow.availability, integration.user_id
            if outcome.came:
                await cache.put(user_id, integration.id, outcome.came)
            if outcome.renewed:
                await cache.renew(user_id, integration.id, outcome.renewed)
            if outcome.errors:
                await cache.mark_failed(user_id, integration.id, _failed(outcome, rests))
            if outcome.is_new:
                await cache.keep_only(user_id, CacheKind.SLOTS, outcome.active or ())
            if outcome.spent:
                await cache.drop(user_id, outcome.spent)
            await uow.commit()
        return True

    @asynccontextmanager
    async def _handing_back(
        self, integration_id: IntegrationId, *owners: str
    ) -> AsyncIterator[None]:
        """Let a refresh that ends before it has stored keep nobody waiting for its right.

        Cut off, as a shutdown does, it leaves the user due now. After a bug, or while the store
        is away, others may try, though not at once.
        """
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            rest = RETRY_AFTER if isinstance(error, Exception) else timedelta()
            # Who lost the right, or never had it, changes nothing.
            rights = [(integration_id, each) for each in owners]
            await run_to_completion(
                self._give_back(rights, self._clock.now() + rest), seconds=LAST_STEP
            )
            raise

    async def _give_back(
        self, rights: Sequence[tuple[IntegrationId, str]], due_at: datetime
    ) -> None:
        with suppress(SlotkeeperError):
            async with self._storage() as uow:
                for integration_id, owner in rights:
                    await uow.sync_queue.finish(
                        integration_id, owner, synced_at=None, due_at=due_at
                    )
                await uow.commit()

    def _tell(self, integration: Integration, outcome: CacheRefreshOutcome, result: str) -> None:
        for each in outcome.fetched:
            came = "unchanged" if each.unchanged else "fetched"
            code = each.error.code if each.error else came
            self._telemetry.availability_part(each.part.part, code)
            if each.bug is not None:
                report_bug(self._telemetry, each.bug)
        if outcome.fetched:
            self._telemetry.availability_sync(integration.id, result)


class _CacheState(NamedTuple):
    """What is stored of a user: all parts without their content, and the event types with it."""

    integration: Integration
    entries: Sequence[CacheEntry]
    listed: CacheEntry | None


async def _stock(uow: UnitOfWork, integration: Integration) -> _CacheState:
    entries = await uow.availability.entries(integration.id)
    listed = await uow.availability.read(integration.user_id, CacheKind.EVENT_TYPES)
    return _CacheState(integration, entries, listed)


def _result(outcome: CacheRefreshOutcome) -> str:
    if not outcome.fetched:
        return UP_TO_DATE
    return PARTLY if outcome.errors else SYNCED


def _failed(outcome: CacheRefreshOutcome, rests: RetryTimes) -> list[CacheEntry]:
    return [
        replace(each.part, retry_at=rests.of(each.error))
        for each in outcome.fetched
        if each.error is not None
    ]


def _due_at(
    outcome: CacheRefreshOutcome,
    after: CacheState,
    rests: RetryTimes,
    refresh_scope: RefreshScope,
    now: datetime,
) -> datetime:
    """Return when the user is due again: now, when a reader's errand left work to the schedule."""
    if not isinstance(refresh_scope, DueEntries) and left_over(
        DueEntries(), after, outcome.active
    ):
        return now
    return after.due_at(rests.due_at)
