"""Store the outcome of a refresh: a new pair, a transient failure, a need for a person.

A new pair that is not stored is a lost grant, so storing is retried. The rules of each outcome are in
`domain.refresh_outcome` and only applied here.
"""

import asyncio
from datetime import datetime, timedelta

import msgspec

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.refresh_queue import RefreshEnd
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.ports.unsaved_tokens import UnsavedTokens
from application.resilience.retry import RetryBudget, retry_until_stored
from domain.backoff import delay
from domain.circuit_breaker import Breaker, BreakerPolicy, failed, release_probe
from domain.errors import SlotkeeperError, StorageUnavailable
from domain.integration import REFRESH_OPEN_FOR, Integration, Lease, sealed_tokens, with_error
from domain.refresh_outcome import QUARANTINE, RULES, Effect, Repeat, Rule, outcome_of
from domain.retries import REFRESH_BACKOFF

# A disconnect waits for a lease that is kept.
LONGEST_KEPT = timedelta(minutes=5)


class RefreshResults:
    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        breaker_policy: BreakerPolicy,
    ) -> None:
        self._storage = storage
        self._log = storage.refresh_log()
        self._clock = clock
        self._randomness = randomness
        self._telemetry = telemetry
        self._breaker_policy = breaker_policy

    async def store(
        self,
        changed: Integration,
        lease: Lease,
        before: Integration,
        budget: RetryBudget,
        unsaved_tokens: UnsavedTokens | None = None,
    ) -> bool:
        """Commit a final outcome, with retries while the store is down.

        Args:
            changed: as the integration has become.
            lease: under which it did.
            before: as it was.
            budget: how long to go on.
            unsaved_tokens: alarmed when an attempt fails.

        Returns:
            False if another change came first; the lease is released in any case.

        Raises:
            StorageUnavailable: the store was down for too long.

        """
        try:
            stored = await self._persist(changed, lease, before, budget, unsaved_tokens)
        except StorageUnavailable:
            raise
        except SlotkeeperError:
            # Of all that an answer says only these two are taken over as they came.
            plain = msgspec.structs.replace(changed, scopes=before.scopes, account=before.account)
            if plain == changed:
                raise
            stored = await self._persist(plain, lease, before, budget, unsaved_tokens)
        if stored and changed.attention is not None:
            self._telemetry.reauth_required(changed.id, changed.attention.cause)
        return stored

    async def _persist(
        self,
        changed: Integration,
        lease: Lease,
        before: Integration,
        budget: RetryBudget,
        unsaved_tokens: UnsavedTokens | None,
    ) -> bool:
        async def attempt() -> bool:
            try:
                return await self._finish(changed, lease, before)
            except (StorageUnavailable, asyncio.CancelledError):
                if unsaved_tokens is not None:
                    unsaved_tokens.alarm()
                raise

        return await retry_until_stored(attempt, randomness=self._randomness, budget=budget)

    async def retry_later(
        self, integration: Integration, lease: Lease, error: SlotkeeperError
    ) -> bool:
        """Store a passing failure: still active, tried again as its outcome's rule says.

        Returns:
            False if another change came first.

        """
        now, rule = self._clock.now(), RULES[outcome_of(error)]
        breaker = self._breaker(integration.breaker, rule, now)
        code = error.code if rule.shows_code else integration.last_error_code
        changed = msgspec.structs.replace(with_error(integration, code, now), breaker=breaker)
        next_attempt_at = self._next_attempt(now, breaker.failures, error, rule)
        keep_lease_until = self._held_until(now, error) if rule.keeps_lease else None
        return await self._finish(changed, lease, integration, next_attempt_at, keep_lease_until)

    async def release(self, integration: Integration, lease: Lease) -> None:
        """Give the lease back and change nothing; one that was lost is left alone."""
        async with self._storage() as uow:
            await uow.refresh_queue.release(integration.id, lease)
            await uow.commit()

    async def hold_back(
        self, integration: Integration, lease: Lease, error: SlotkeeperError
    ) -> None:
        """Store the error's code and give the lease back; the integration stays due."""
        changed = with_error(integration, error.code, self._clock.now())
        await self._finish(changed, lease, integration)

    async def postpone(self, integration: Integration, lease: Lease, until: datetime) -> None:
        """Give the lease back; the job leaves the integration alone until then (UTC)."""
        await self._finish(integration, lease, integration, until)

    async def _finish(
        self,
        changed: Integration,
        lease: Lease,
        before: Integration,
        next_attempt_at: datetime | None = None,
        keep_lease_until: datetime | None = None,
    ) -> bool:
        version = sealed_tokens(before).version
        stored = await self._log.finish(
            RefreshEnd(changed, lease, version, next_attempt_at, keep_lease_until)
        )
        if not stored:
            await self.release(changed, lease)
        return stored

    def _held_until(self, now: datetime, error: SlotkeeperError) -> datetime:
        asked = min(timedelta(seconds=error.retry_after or 0), LONGEST_KEPT)
        return now + (asked or REFRESH_OPEN_FOR)

    def _breaker(self, breaker: Breaker, rule: Rule, now: datetime) -> Breaker:
        if rule.breaker is Effect.FAILS:
            return failed(breaker, now, self._breaker_policy, self._randomness.fraction())
        return release_probe(breaker, breaker)

    def _next_attempt(
        self, now: datetime, failures: int, error: SlotkeeperError, rule: Rule
    ) -> datetime | None:
        asked = timedelta(seconds=error.retry_after or 0)
        match rule.repeat:
            case Repeat.BACKED_OFF:
                backed_off = delay(REFRESH_BACKOFF, max(failures, 1), self._randomness.fraction())
                return now + max(asked, backed_off)
            case Repeat.AFTER_AN_HOUR:
                return now + QUARANTINE
            case Repeat.WHEN_DUE | Repeat.NEVER:
                return now + asked if asked else None
