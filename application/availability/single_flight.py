"""Single flight for refreshes: of each user this process runs one at a time, shared by all readers.

While one is under way the wishes of those whom it does not serve gather for the next. Between
processes the right to fetch decides; one task here waits for it, however many readers wait.

The rule not to break: a flight belongs to nobody. A reader who leaves ends his own waiting only.
"""

import asyncio
import inspect
from collections.abc import Coroutine, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from application.availability.refresh_cache import HELD, RefreshCache
from application.availability.refresh_scope import RequestedEntries
from application.jobs.error_location import report_bug
from application.ports.background import Background
from application.ports.randomness import Randomness
from application.ports.storage.availability_cache import CacheKey
from application.ports.storage.breakers import Surface
from application.ports.telemetry import Telemetry
from application.resilience.circuit_breakers import CircuitBreakers
from application.resilience.priority import in_background, is_background
from domain.errors import SlotkeeperError, StorageUnavailable
from domain.ids import IntegrationId

NAME = "refresh_availability"
WAIT_SECONDS = 5.0  # seconds that a flight waits for somebody else's at most
FIRST_POLL = 0.05  # seconds, doubled each time
LAST_POLL = 0.4
REST = 1.0  # seconds between looks at a right that somebody else has, while nobody waits

Wishes = Mapping[CacheKey, datetime | None]


class _Flight:
    """What it lands with: whether what could be fetched was, or somebody else was at it all along."""

    def __init__(self) -> None:
        self.wishes: dict[CacheKey, datetime | None] = {}
        self.awaited = False
        self.landed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def add(self, wishes: Wishes, *, awaited: bool) -> None:
        """Take wishes on, before it begins."""
        self.awaited = self.awaited or awaited
        for at, moment in wishes.items():
            earlier = self.wishes.get(at)
            self.wishes[at] = max(filter(None, (earlier, moment)), default=None)

    def serves(self, wishes: Wishes) -> bool:
        """Whether it is for all that is wished for; what it brings may still be too old."""
        return all(at in self.wishes for at in wishes)


class _Lane:
    """The flights of one user: the one under way, and the one that gathers."""

    def __init__(self) -> None:
        self.current: _Flight | None = None
        self.next: _Flight | None = None

    def flight_for(self, wishes: Wishes, *, awaited: bool) -> _Flight:
        if self.current is not None and self.current.serves(wishes):
            self.current.awaited = self.current.awaited or awaited
            return self.current
        self.next = self.next or _Flight()
        self.next.add(wishes, awaited=awaited)
        return self.next


class SingleFlight:
    """Refreshes what readers found old or missing."""

    def __init__(
        self,
        *,
        sync: RefreshCache,
        circuit_breakers: CircuitBreakers,
        background: Background,
        randomness: Randomness,
        telemetry: Telemetry,
    ) -> None:
        self._sync = sync
        self._circuit_breakers = circuit_breakers
        self._background = background
        self._randomness = randomness
        self._telemetry = telemetry
        self._queue: dict[IntegrationId, _Lane] = {}

    def in_background(self, integration_id: IntegrationId, wishes: Wishes) -> None:
        """Refresh parts behind an answer; what is under way already is not begun again."""
        self._join(integration_id, wishes, awaited=False)

    async def wait(
        self, integration_id: IntegrationId, wishes: Wishes, seconds: float
    ) -> bool | None:
        """Refresh parts and wait for it; None when it takes longer than that.

        True when what could be fetched was; False when somebody else was at it all the time.
        """
        flight = self._join(integration_id, wishes, awaited=not is_background())
        await asyncio.wait({flight.landed}, timeout=seconds)
        return flight.landed.result() if flight.landed.done() else None

    async def are_held_back(self) -> bool:
        """Whether Calendly is failing, so that a flight would end before anything was sent."""
        try:
            return await self._circuit_breakers.wait(Surface.API) is not None
        except StorageUnavailable:
            return False

    def _join(self, integration_id: IntegrationId, wishes: Wishes, *, awaited: bool) -> _Flight:
        lane = self._queue.get(integration_id)
        if lane is not None:
            return lane.flight_for(wishes, awaited=awaited)
        lane = self._queue[integration_id] = _Lane()
        flight = lane.flight_for(wishes, awaited=awaited)
        work = self._serve(integration_id, lane)
        self._background.run(NAME, work, vital=awaited)
        if _was_refused(work):
            del self._queue[integration_id]
            flight.landed.set_result(False)
        return flight

    async def _serve(self, integration_id: IntegrationId, lane: _Lane) -> None:
        """Run the flights of a user one after the other, until nobody wishes for anything."""
        try:
            while lane.next is not None:
                flight = lane.current = lane.next
                lane.next = None
                flight.landed.set_result(await self._fly(integration_id, flight))
        finally:
            del self._queue[integration_id]
            for left in (lane.current, lane.next):
                if left is not None and not left.landed.done():
                    left.landed.set_result(False)

    async def _fly(self, integration_id: IntegrationId, flight: _Flight) -> bool:
        loop = asyncio.get_running_loop()
        until, poll = loop.time() + WAIT_SECONDS, FIRST_POLL
        while True:
            settled = await self._try(integration_id, flight)
            if settled or loop.time() >= until:
                return settled
            if flight.awaited:
                await asyncio.sleep(poll * (0.5 + self._randomness.fraction()))
                poll = min(2 * poll, LAST_POLL)
                continue
            # Whoever has the right renews just this. Readers who come meanwhile join here,
            # instead of each trying for the right.
            await asyncio.sleep(REST)
            if not flight.awaited:
                return settled

    async def _try(self, integration_id: IntegrationId, flight: _Flight) -> bool:
        awaited = flight.awaited
        if not awaited and await self.are_held_back():
            return True
        refresh_scope = RequestedEntries(flight.wishes, waited_for=awaited)
        try:
            with nullcontext() if awaited else in_background():
                result = await self._sync.refresh(integration_id, refresh_scope)
        except SlotkeeperError:
            return True  # what is stored of it says why
        except Exception as error:  # noqa: BLE001 - each reader says what he makes of it
            report_bug(self._telemetry, error)
            return True
        return result != HELD


def _was_refused(work: Coroutine[Any, Any, None]) -> bool:
    return inspect.getcoroutinestate(work) == inspect.CORO_CLOSED
