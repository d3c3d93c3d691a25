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
from domain.circuit_breaker import (
    CLOSED,
    Breaker,
    BreakerPolicy,
    BreakerState,
    admit,
    failed,
    given_back,
    is_answer,
    is_outage,
    succeeded,
    wait,
)
from domain.errors import CircuitOpen, SlotkeeperError, StorageUnavailable

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

        The record comes after all of `work` and may wait for the store: what must not be lost
        is stored within `work`. Repeats within `work` count as one call.

        Raises:
            CircuitOpen: nothing was sent; `retry_after` says when to come again.

        """
        admitted = await self._admit(surface)
        try:
            result = await work()
        except SlotkeeperError as error:
            await self._learn(surface, admitted, error)
            raise
        await self._learn_success(surface)
        return result

    async def current(self, surface: Surface) -> Breaker:
        """Return the breaker as it stands, for showing."""
        async with self._storage() as uow:
            return await uow.breakers.read(surface)

    async def _admit(self, surface: Surface) -> Breaker:
        if self._believed(surface) == CLOSED:
            return CLOSED
        now = self._clock.now()
        async with self._storage() as uow:
            # A refusal needs no lock, nor does a closed breaker: only the probe's turn is taken.
            breaker = self._admitted(surface, await uow.breakers.read(surface), now)
            if breaker.state is not BreakerState.CLOSED:
                breaker = self._admitted(surface, await uow.breakers.lock(surface), now)
                await uow.breakers.put(surface, breaker)
                await uow.commit()
        self._seen[surface] = (now, breaker)
        return breaker

    def _admitted(self, surface: Surface, breaker: Breaker, now: datetime) -> Breaker:
        admitted = admit(breaker, now, self._policy)
        if admitted is None:
            raise self._refusal(surface, breaker, now)
        return admitted

    async def _learn_success(self, surface: Surface) -> None:
        if self._seen[surface][1] != CLOSED:
            await self._change(surface, succeeded)

    async def _learn(self, surface: Surface, admitted: Breaker, error: SlotkeeperError) -> None:
        if is_outage(error):
            now = self._clock.now()
            await self._change(surface, lambda breaker: failed(breaker, now, self._policy))
        elif is_answer(error):
            await self._learn_success(surface)
        elif admitted.state is BreakerState.HALF_OPEN:
            await self._change(surface, lambda breaker: given_back(breaker, admitted))

    async def _change(self, surface: Surface, change: Callable[[Breaker], Breaker]) -> None:
        # What the call did matters more than the record of it: its own outcome goes on.
        with suppress(StorageUnavailable):
            async with self._storage() as uow:
                breaker = change(await uow.breakers.lock(surface))
                await uow.breakers.put(surface, breaker)
                await uow.commit()
            self._seen[surface] = (self._clock.now(), breaker)

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
