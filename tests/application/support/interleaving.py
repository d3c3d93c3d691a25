"""Processes whose every wait for the store or for Calendly ends when, and as, a test says.

A process parks at each crossing of its border. The test lets one continue, breaks its step or kills
its process. These choices alone decide the order, so a run is repeated by repeating them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from application.ports.unsaved_tokens import UnsavedTokenPair
from domain.errors import (
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    StorageUnavailable,
)
from domain.secret import Secret
from domain.token import TokenPair
from tests.application.support.building import Product
from tests.application.support.crashing import CrashingCalendly, CrashingStorage, Steps
from tests.application.support.process import LEASE, Process
from tests.application.support.recording import AwaitedBackground
from tests.fakes.state import State
from tests.fakes.storage import FakeUnitOfWork
from tests.fakes.unsaved_tokens import FakeUnsavedTokens


class Border(StrEnum):
    """A point where a process waits for another one."""

    STORE = "store"
    LEAVING = "leaving"
    ANSWERING = "answering"


class Commit(StrEnum):
    """How a commit ends."""

    DONE = "done"
    REFUSED = "refused"
    UNHEARD = "unheard"
    DIES_BEFORE = "dies_before"
    DIES_AFTER = "dies_after"


HARMS = {
    Border.STORE: (lambda: StorageUnavailable("away"),),
    Border.LEAVING: (
        lambda: CalendlyUnavailable("503"),
        lambda: CalendlyUncertain("a time-out before it was read"),
        lambda: CalendlyThrottled("429", retry_after=60.0),
    ),
    Border.ANSWERING: (lambda: CalendlyUncertain("the answer was lost"),),
}


class Crossing:
    """One process, waiting at a border."""

    def __init__(self, process: "Mortal", border: Border) -> None:
        self.process = process
        self.border = border
        self.since = process.world.product.clock.now()
        self._passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pass_on(self) -> None:
        """Let the process go on, unless it has stopped waiting."""
        if not self._passed.done():
            self._passed.set_result(None)

    def harm(self, error: Exception) -> None:
        """Let what it waits for fail, unless it has stopped waiting."""
        if not self._passed.done():
            self._passed.set_exception(error)

    def kill(self) -> None:
        """Let it never hear of anything again."""
        self._passed.cancel()

    async def wait(self) -> None:
        """Wait for the test."""
        await self._passed


class World:
    """The state that the processes share, and the point where each of them waits.

    Attributes:
        parked: the crossings under way, longest waiting first.
        free: no process parks any longer.
        store_is_away: every opening of the store fails.
        decide: how the next commit ends.
        watch: called after each commit.
        in_flight: the refresh tokens that requests under way carry, each with the start that was
            recorded before it left.
        sent_twice: tokens whose two requests were under way together, although the lease
            of the first one lasted.

    """

    def __init__(self, product: Product) -> None:
        self.product = product
        self.parked: list[Crossing] = []
        self.free = False
        self.store_is_away = False
        self.decide: Callable[[], Commit] = lambda: Commit.DONE
        self.watch: Callable[[], None] = lambda: None
        self.in_flight: list[tuple[str, datetime]] = []
        self.sent_twice: list[str] = []

    def recorded_start(self) -> datetime:
        """Return when the latest exchange began, by the only account's row."""
        (row,) = self.product.storage.state.integrations.values()
        assert row.value.exchange_started_at is not None, "a request left without a record"
        return row.value.exchange_started_at

    async def cross(self, process: "Mortal", border: Border) -> None:
        """Wait at a border; raises what the test decided."""
        if not process.lives:
            raise asyncio.CancelledError
        if self.free or (self.store_is_away and border is Border.STORE):
            await asyncio.sleep(0)
        else:
            crossing = Crossing(process, border)
            self.parked.append(crossing)
            try:
                await crossing.wait()
            finally:
                self.parked.remove(crossing)
        if self.store_is_away and border is Border.STORE:
            raise StorageUnavailable("away")


class Held(NamedTuple):
    """A token that a process was answered: when that exchange began, and in which task."""

    since: datetime
    task: asyncio.Task[object]


class Mortal:
    """One process: the use cases over a store and a line of its own, until it is killed.

    Attributes:
        held: refresh tokens that this process was answered, and what it does with them.
        unsaved_tokens: where its job keeps what cannot be stored.
        job: the page that its job works on, if any.

    """

    def __init__(self, world: World, name: str, rescued: Sequence[UnsavedTokenPair] = ()) -> None:
        self.world = world
        self.lives = True
        self.held: dict[str, Held] = {}
        self.unsaved_tokens = FakeUnsavedTokens(rescued)
        self.job: asyncio.Task[None] | None = None
        self._background = AwaitedBackground()
        product = copy(world.product)
        product.background = self._background
        product.storage = _Store(self)
        product.calendly = _Line(self)
        self.use = Process(product, name)

    def behind(self) -> list[asyncio.Task[None]]:
        """Return its background work."""
        return self._background._tasks

    def kill(self) -> None:
        """End it, wherever it is."""
        self.lives = False
        self.held.clear()
        for crossing in self.world.parked:
            if crossing.process is self:
                crossing.kill()


class _Store(CrashingStorage):
    """The shared store as one process reaches it."""

    def __init__(self, process: Mortal) -> None:
        super().__init__(Steps())
        self._process = process
        self._shared = process.world.product.storage

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeUnitOfWork]:
        """Begin."""
        await self._process.world.cross(self._process, Border.STORE)
        async with self._shared() as uow:
            uow._storage = self  # so that the commit is this process's
            yield uow

    def settle(self, state: State) -> None:
        """Commit, as the test decides."""
        world = self._process.world
        ends = world.decide() if self._process.lives else Commit.DIES_BEFORE
        if ends not in {Commit.DIES_BEFORE, Commit.REFUSED}:
            self._shared.settle(state)
            world.watch()
        if ends in {Commit.DIES_BEFORE, Commit.DIES_AFTER}:
            self._process.kill()
            raise asyncio.CancelledError
        if ends in {Commit.REFUSED, Commit.UNHEARD}:
            raise StorageUnavailable("the commit was lost")


class _Line(CrashingCalendly):
    """The shared Calendly as one process reaches it."""

    def __init__(self, process: Mortal) -> None:
        super().__init__(process.world.product.clock, Steps())
        self._process = process
        self._shared = process.world.product.calendly

    async def refresh(self, refresh: Secret, *, user_uri: str) -> TokenPair:
        """Send, be processed, hear the answer: each when and as the test says."""
        world, shown = self._process.world, refresh.reveal()
        sent = (shown, world.recorded_start())
        if any(
            token == shown and self.clock.now() - since < LEASE for token, since in world.in_flight
        ):
            world.sent_twice.append(shown)
        world.in_flight.append(sent)
        try:
            await world.cross(self._process, Border.LEAVING)
            pair = await self._shared.refresh(refresh, user_uri=user_uri)
            await self._answer(pair.refresh.reveal(), sent[1])
        finally:
            world.in_flight.remove(sent)
        return pair

    async def _answer(self, token: str, since: datetime) -> None:
        """Deliver the answer; from here on no other process knows the token."""
        process, task = self._process, asyncio.current_task()
        assert task is not None
        process.held[token] = Held(since, task)
        try:
            await process.world.cross(process, Border.ANSWERING)
        except BaseException:
            process.held.pop(token, None)
            raise

    async def revoke(self, token: Secret) -> None:
        """Revoke."""
        await self._shared.revoke(token)
