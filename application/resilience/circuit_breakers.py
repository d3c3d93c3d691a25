"""Calls to Calendly behind the circuit breakers that all processes share.

The breaker is read from memory for a few seconds. So neither calls to a healthy Calendly nor
refusals of a failing one cost a round trip to the store.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.resilience.account_failures import AccountFailures
from domain.circuit_breaker import (
    CLOSED,
    Breaker,
    BreakerPolicy,
    BreakerState,
    BreakerView,
    admit,
    failed,
    is_answer,
    is_late,
    is_outage,
    release_probe,
    seen_at,
    succeeded,
    view_of,
    wait,
)
from domain.errors import CircuitOpen, SlotkeeperError, StorageUnavailable

T = TypeVar("T")

BELIEVED_FOR = timedelta(seconds=3)


class CircuitBreakers:
    """The shared breakers, one per surface of Calendly."""

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        policy: BreakerPolicy,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._randomness = randomness
        self._telemetry = telemetry
        self._policy = policy
        self._seen: dict[Surface, tuple[datetime, Breaker]] = {}
        self._own_trouble = {surface: AccountFailures(policy.window) for surface in Surface}

    async def call(
        self, surface: Surface, work: Callable[[], Awaitable[T]], *, subject: str | None = None
    ) -> T:
        """Run a call if the surface's breaker lets it through, and record how it went.

        The record comes after all of `work` and may wait for the store: what must not be lost
        is stored within `work`. Repeats within `work` count as one call.

        Args:
            surface: what the call goes to.
            work: the call.
            subject: the opaque id of the user whose account the call is for. An account that fails for
                its own reasons then does not stop the others (see AccountFailures, and
                `failed` of the breaker). Without it every failure counts.

        Raises:
            CircuitOpen: nothing was sent; retry after `retry_after` seconds.
            StorageUnavailable: nothing was sent; the breaker could not be read.

        """
        admitted = await self._admit(surface, subject or "")
        try:
            result = await work()
        except SlotkeeperError as error:
            await self._learn(surface, admitted, error, subject)
            raise
        await self._learn_success(surface, admitted, subject)
        return result

    async def wait(self, surface: Surface) -> timedelta | None:
        """Return how long nothing goes out to a surface, at the longest; None when a call may.

        Does not take the probe. Cheap: the store is read every few seconds at most, unless a
        probe is out.

        Raises:
            StorageUnavailable: the breaker could not be read.

        """
        breaker = self._remembered_breaker(surface)
        now = self._clock.now()
        if breaker is None or not _is_settled(breaker, now):
            breaker = await self.current(surface)
        return wait(breaker, now, self._policy)

    async def raise_if_open(self, surface: Surface) -> None:
        """Raise CircuitOpen when nothing goes out to a surface; StorageUnavailable as `wait`."""
        left = await self.wait(surface)
        if left is not None:
            raise _refusal(surface, left)

    async def room(self, surface: Surface, most: int) -> int:
        """Return how many rows are worth a claim: one, a probe's, unless the breaker is closed.

        Raises StorageUnavailable.
        """
        breaker = await self.current(surface)
        return most if breaker.state is BreakerState.CLOSED else 1

    async def admit(self, surface: Surface, subject: str) -> Breaker:
        """Admit a call whose outcome the caller reports by itself; takes and raises as `call`."""
        return await self._admit(surface, subject)

    async def report_success(self, surface: Surface, admitted: Breaker) -> None:
        """Record that an admitted call succeeded; one that probed closes the breaker."""
        await self._learn_success(surface, admitted, None)

    async def release(self, surface: Surface, admitted: Breaker) -> None:
        """Record that an admitted call proved nothing; another caller may probe."""
        if admitted.state is BreakerState.HALF_OPEN:
            await self._change(surface, lambda breaker: release_probe(breaker, admitted))

    def note_change(self, surface: Surface, before: Breaker, after: Breaker) -> None:
        """Take note of a change that the caller stored, and report it if the breaker opened."""
        self._note(surface, after)
        self._report_if_opened(surface, before, after)

    async def current(self, surface: Surface) -> Breaker:
        """Return the breaker as it is stored. Raises StorageUnavailable."""
        async with self._storage() as uow:
            breaker = await uow.breakers.read(surface)
        self._note(surface, breaker)
        return breaker

    async def states(self) -> Mapping[Surface, BreakerView]:
        """Return the state of every surface. Raises StorageUnavailable."""
        return {
            surface: view_of(await self.current(surface), self._clock.now(), self._policy)
            for surface in Surface
        }

    async def _admit(self, surface: Surface, subject: str) -> Breaker:
        remembered, now = self._remembered_breaker(surface), self._clock.now()
        if remembered == CLOSED:
            return CLOSED
        if remembered is not None and remembered.state is BreakerState.OPEN:
            # An open breaker never closes before its time, so memory equals the stored row.
            self._raise_if_refusing(surface, remembered, now, subject)
        breaker = await self.current(surface)
        # A refusal needs no lock, nor does a closed breaker: only the probe is taken under one.
        self._raise_if_refusing(surface, breaker, now, subject)
        if breaker.state is BreakerState.CLOSED:
            return breaker
        return await self._take_turn(surface, now, subject)

    async def _take_turn(self, surface: Surface, now: datetime, subject: str) -> Breaker:
        async with self._storage() as uow:
            breaker = await uow.breakers.lock(surface)
            admitted = admit(breaker, now, self._policy, subject)
            if admitted is None:
                left = wait(breaker, now, self._policy, subject) or timedelta(seconds=1)
                raise _refusal(surface, left)
            await uow.breakers.put(surface, admitted)
            await uow.commit()
        self._note(surface, admitted)
        return admitted

    async def _learn(
        self, surface: Surface, admitted: Breaker, error: SlotkeeperError, subject: str | None
    ) -> None:
        now = self._clock.now()
        if is_outage(error) and self._is_evidence(surface, subject, now):
            await self._learn_failure(surface, admitted, now, subject or "")
        elif is_answer(error):
            await self._learn_success(surface, admitted, subject)
        elif admitted.state is BreakerState.HALF_OPEN:
            await self._change(surface, lambda breaker: release_probe(breaker, admitted))

    def _is_evidence(self, surface: Surface, subject: str | None, now: datetime) -> bool:
        return subject is None or self._own_trouble[surface].is_evidence(subject, now)

    async def _learn_failure(
        self, surface: Surface, admitted: Breaker, now: datetime, subject: str
    ) -> None:
        chance = self._randomness.fraction()
        # Where one or two accounts are in use an outage is seen by their failures alone.
        limited = self._own_trouble[surface].others_answered(subject, now)
        change = await self._report(
            surface,
            admitted,
            lambda breaker: failed(breaker, now, self._policy, chance, subject, limited=limited),
        )
        if change is None:
            return
        self._report_if_opened(surface, *change)

    def _report_if_opened(self, surface: Surface, before: Breaker, breaker: Breaker) -> None:
        if breaker.trips > before.trips and breaker.open_until is not None:
            self._telemetry.circuit_opened(surface, breaker.failures, breaker.open_until)

    async def _learn_success(
        self, surface: Surface, admitted: Breaker, subject: str | None
    ) -> None:
        if subject is not None:
            self._own_trouble[surface].answered(subject, self._clock.now())
        if self._seen[surface][1] == CLOSED:
            return
        change = await self._report(surface, admitted, succeeded)
        if change is not None and change[0].trips > 0 and change[1] == CLOSED:
            self._telemetry.circuit_closed(surface)

    async def _report(
        self, surface: Surface, admitted: Breaker, change: Callable[[Breaker], Breaker]
    ) -> tuple[Breaker, Breaker] | None:
        if is_late(self._seen[surface][1], admitted):
            return None
        return await self._change(
            surface, lambda breaker: breaker if is_late(breaker, admitted) else change(breaker)
        )

    async def _change(
        self, surface: Surface, change: Callable[[Breaker], Breaker]
    ) -> tuple[Breaker, Breaker] | None:
        """Return the breaker before and after, or None if the store was down."""
        # The outcome of the call matters more than its record, so it is never replaced by an error.
        with suppress(StorageUnavailable):
            async with self._storage() as uow:
                before = await uow.breakers.lock(surface)
                after = change(before)
                if after != before:
                    await uow.breakers.put(surface, after)
                await uow.commit()
            self._note(surface, after)
            return before, after
        return None

    def _note(self, surface: Surface, breaker: Breaker) -> None:
        now = self._clock.now()
        self._seen[surface] = (now, breaker)
        if breaker.state is BreakerState.OPEN:
            self._own_trouble[surface].outage()
        self._telemetry.circuit_seen(surface, seen_at(breaker, now, self._policy))

    def _remembered_breaker(self, surface: Surface) -> Breaker | None:
        known_at, breaker = self._seen.get(surface, (None, None))
        if known_at is None or self._clock.now() - known_at > BELIEVED_FOR:
            return None
        return breaker

    def _raise_if_refusing(
        self, surface: Surface, breaker: Breaker, now: datetime, subject: str
    ) -> None:
        left = wait(breaker, now, self._policy, subject)
        if left is not None:
            raise _refusal(surface, left)


def _refusal(surface: Surface, left: timedelta) -> CircuitOpen:
    if surface is Surface.MASS_REFUSAL:
        return mass_refusal(left)
    return CircuitOpen(
        f"Calendly's {surface} is failing; calls are held back until it recovers.",
        retry_after=left.total_seconds(),
    )


def mass_refusal(left: timedelta) -> CircuitOpen:
    """Return the error while refreshes rest because Calendly refuses many accounts."""
    return CircuitOpen(
        "Calendly refuses the grants of many accounts; all are kept, and refreshes are held "
        "back while one account after the other is tried.",
        retry_after=left.total_seconds(),
    )


def _is_settled(breaker: Breaker, now: datetime) -> bool:
    """Whether what is remembered still holds: a probe may end at any moment."""
    if breaker.state is BreakerState.OPEN:
        return breaker.open_until is not None and breaker.open_until > now
    return breaker.state is BreakerState.CLOSED
