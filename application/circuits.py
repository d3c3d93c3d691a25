"""Calls to Calendly behind the circuit breakers that all processes share.

The breaker is believed for a few seconds from memory, so that calls to a healthy Calendly cost
no round trip to the store.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from application.ports.breakers import Surface
from application.ports.clock import Clock
from application.ports.unit_of_work import Storage
from domain.circuit_breaker import CLOSED, Breaker, BreakerPolicy, admit, failed, is_outage, wait
from domain.errors import CalendlyThrottled, CircuitOpen, SlotkeeperError, StorageUnavailable

T = TypeVar("T")

BELIEVED_FOR = timedelta(seconds=3)


class Circuits:
    """The shared breakers, one per surface of Calendly."""

    def __init__(self, *, storage: Storage, clock: Clock, policy: BreakerPolicy) -> None:
        self._storage = storage
        self._clock = clock
        self._policy = policy
        self._seen: dict[Surface, tuple[datetime, Breaker]] = {}

    async def call(self, surface: Surface, work: Callable[[], Awaitable[T]]) -> T:
        """Run a call if the surface's breaker lets it through, and record how it went.

        Raises:
            CircuitOpen: nothing was sent; `retry_after` says when to come again.

        """
        await self._admit(surface)
        try:
            result = await work()
        except CalendlyThrottled:
            # Says nothing of Calendly's health: our own budget may have refused, sending nothing.
            raise
        except SlotkeeperError as error:
            # What the call did matters more than the record of it: its own error goes on.
            with suppress(StorageUnavailable):
                await self._record(surface, ok=not is_outage(error))
            raise
        with suppress(StorageUnavailable):
            await self._record(surface, ok=True)
        return result

    async def current(self, surface: Surface) -> Breaker:
        """Return the breaker as it stands, for showing."""
        async with self._storage() as uow:
            return await uow.breakers.read(surface)

    async def _admit(self, surface: Surface) -> None:
        if self._believed(surface) == CLOSED:
            return
        now = self._clock.now()
        async with self._storage() as uow:
            breaker = await uow.breakers.read(surface)
            if breaker != CLOSED:
                breaker = await uow.breakers.lock(surface)
                admitted = admit(breaker, now, self._policy)
                if admitted is None:
                    raise self._refusal(surface, breaker, now)
                await uow.breakers.put(surface, admitted)
                await uow.commit()
                breaker = admitted
        self._seen[surface] = (now, breaker)

    async def _record(self, surface: Surface, *, ok: bool) -> None:
        now = self._clock.now()
        if ok and self._seen[surface][1] == CLOSED:
            return
        async with self._storage() as uow:
            breaker = await uow.breakers.lock(surface)
            breaker = CLOSED if ok else failed(breaker, now, self._policy)
            await uow.breakers.put(surface, breaker)
            await uow.commit()
        self._seen[surface] = (now, breaker)

    def _believed(self, surface: Surface) -> Breaker | None:
        seen_at, breaker = self._seen.get(surface, (None, None))
        if seen_at is None or self._clock.now() - seen_at > BELIEVED_FOR:
            return None
        return breaker

    def _refusal(self, surface: Surface, breaker: Breaker, now: datetime) -> CircuitOpen:
        left = wait(breaker, now, self._policy) or timedelta(seconds=1)
        return CircuitOpen(
            f"Calendly's {surface} is failing; calls are held back until it recovers.",
            retry_after=left.total_seconds(),
        )
