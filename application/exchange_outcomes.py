"""Store what came of an exchange: a new pair, a passing failure, a need for a person.

A new pair that is not stored is a grant lost, so nothing here gives up on one lightly.
"""

import asyncio
from datetime import datetime, timedelta

import msgspec

from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from domain.backoff import RetryPolicy, delay, next_delay
from domain.circuit_breaker import BreakerPolicy, failed, given_back, is_outage
from domain.errors import SlotkeeperError, StorageUnavailable
from domain.integration import Integration, Lease, usable_tokens

PAUSE = RetryPolicy(base=timedelta(seconds=30), cap=timedelta(minutes=15))
# About as long as EXCHANGE_OPEN_FOR leaves for it.
STORING = RetryPolicy(base=timedelta(milliseconds=200), cap=timedelta(seconds=5), limit=12)


class ExchangeOutcomes:
    """Stores outcomes under a lease, as RefreshQueue lets them be stored."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        entropy: Entropy,
        signals: Signals,
        breaker_policy: BreakerPolicy,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._breaker_policy = breaker_policy

    async def store(self, changed: Integration, lease: Lease, before: Integration) -> bool:
        """Commit a final outcome, again and again while the store is away.

        Returns:
            False when somebody else's change came first; the lease is given back all the same.

        Raises:
            StorageUnavailable: it stayed away for too long.

        """
        attempt = 1
        while True:
            try:
                stored = await self._finish(changed, lease, before)
                break
            except StorageUnavailable as error:
                pause = next_delay(STORING, attempt, error, self._entropy.chance())
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause.total_seconds())
        if stored and changed.attention is not None:
            self._signals.reauth_required(changed.id, changed.attention.cause)
        return stored

    async def put_off(
        self,
        integration: Integration,
        lease: Lease,
        error: SlotkeeperError,
        pause: timedelta | None = None,
    ) -> bool:
        """Store a passing failure: still active, tried again after a while.

        Returns:
            False when somebody else's change came first.

        """
        now = self._clock.now()
        breaker = integration.breaker
        if is_outage(error):
            breaker = failed(breaker, now, self._breaker_policy)
        else:
            breaker = given_back(breaker, breaker)
        changed = msgspec.structs.replace(integration, breaker=breaker, last_error_code=error.code)
        next_attempt_at = self._next_attempt(now, breaker.failures, error, pause)
        return await self._finish(changed, lease, integration, next_attempt_at)

    async def release(self, integration: Integration, lease: Lease) -> None:
        """Give the lease back and change nothing."""
        async with self._storage() as uow:
            await uow.refresh_queue.release(integration.id, lease)
            await uow.commit()

    async def _finish(
        self,
        changed: Integration,
        lease: Lease,
        before: Integration,
        next_attempt_at: datetime | None = None,
    ) -> bool:
        async with self._storage() as uow:
            stored = await uow.refresh_queue.finish(
                changed,
                lease,
                expected_version=usable_tokens(before).version,
                next_attempt_at=next_attempt_at,
            )
            if not stored:
                await uow.refresh_queue.release(changed.id, lease)
            await uow.commit()
        return stored

    def _next_attempt(
        self, now: datetime, failures: int, error: SlotkeeperError, pause: timedelta | None
    ) -> datetime:
        asked = timedelta(seconds=error.retry_after or 0)
        jittered = delay(PAUSE, max(failures, 1), self._entropy.chance())
        return now + (pause or max(asked, jittered))
