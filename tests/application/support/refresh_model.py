"""A model of refreshers around one account; each move is chosen from outside.

The invariants are checked at every commit; the final conditions at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from itertools import count
from typing import Any, Protocol, TypeVar

import msgspec

from application.jobs.job_result import JobResult
from application.ports.unsaved_tokens import UnsavedTokenPair
from application.tokens.token_encryption import seal_pair
from domain.errors import CalendlyUncertain, SlotkeeperError
from domain.integration import Status, refreshed
from tests.application.support.building import Product
from tests.application.support.interleaving import HARMS, Border, Commit, Crossing, Mortal, World
from tests.application.support.refresh_invariants import Judge
from tests.application.support.virtual_time import VirtualTimeLoop

T = TypeVar("T")

# As the HTTP client's deadline: a call ends after this, answered or not.
DEADLINE = timedelta(seconds=30)
SLICES = 12
PROCESSES = 3
TASKS = 4
LOST_COMMITS = (Commit.REFUSED, Commit.UNHEARD)


Move = Callable[[], Awaitable[None] | None]


class Mood(StrEnum):
    """The failures that a run may have."""

    DEADLY = "processes die"
    SLOW = "processes stand still"
    STORELESS = "the store goes away"
    FORGETFUL = "commits are lost, or their answers are"
    REVOKED = "the user removes the app"


class Choice(Protocol):
    """Chooses."""

    def of(self, count: int) -> int:
        """Return a number below the count."""
        ...


class Play:
    """One account, three processes, and everything that may happen to them."""

    def __init__(self, choice: Choice) -> None:
        self.product = Product()
        self.product.calendly.tokens_per_minute = None
        self.world = World(self.product)
        self._choice = choice
        self._moods = [mood for mood in Mood if choice.of(2)]
        self._names = count()
        self._processes = [self._process() for _ in range(PROCESSES)]
        self._tasks: list[asyncio.Task[None]] = []
        self._stalled: Mortal | None = None

    async def begin(self) -> None:
        """Connect the account, and watch it from now on."""
        self._id = (await self.product.connect()).id
        self._judge = Judge(self.world, self._id)
        self.world.decide = self._decide
        self.world.watch = self._watch

    @property
    def faults(self) -> list[str]:
        """The invariants that were broken, in words."""
        return self._judge.faults

    def _process(self, unsaved: Sequence[UnsavedTokenPair] = ()) -> Mortal:
        return Mortal(self.world, f"process-{next(self._names)}", unsaved)

    async def settle(self) -> None:
        """Let all processes run until each is parked, asleep, done or dead; replace the dead."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        await loop.settle()
        self._processes = [
            each if each.lives else self._process(each.unsaved_tokens.sent)
            for each in self._processes
        ]

    # The moves.

    def moves(self) -> list[tuple[Move, int]]:
        """Return what may happen next, each with its weight."""
        found: list[tuple[Move, int]] = [(self.pass_moment, 1), (self.pass_time, 3)]
        if Mood.DEADLY in self._moods:
            found.append((self.kill, 2))
        if Mood.SLOW in self._moods:
            found.append((self.stall, 2 if self._stalled else 4))
        if Mood.STORELESS in self._moods:
            found.append((self.turn_store, 6 if self.world.store_is_away else 2))
        if self._judge.stored.status is Status.REAUTH_REQUIRED:
            found.append((self.reconnect, 4))
        elif Mood.REVOKED in self._moods:
            found.append((self.revoke, 1))
        if len(self._running()) < TASKS:
            found += [(self.work_job, 2), (self.meet_401, 1), (self.refresh_now, 4)]
        if self.world.parked:
            found += [(self.go_on, 3), (self.run_on, 16), (self.harm, 2)]
        return found

    def work_job(self) -> None:
        """A worker takes a page of the job."""
        process = self._any(self._processes)
        if process.job is None or process.job.done():
            process.job = self._start(process.use.refresh_due(10, _unseen, process.unsaved_tokens))

    def meet_401(self) -> None:
        """A user's call met a 401 with what is stored."""
        if self._judge.stored.tokens is not None:
            version = self._judge.stored.tokens.version
            process = self._any(self._processes)
            self._start(process.use.refresh.run(self._id, stale_version=version))

    def refresh_now(self) -> None:
        """An operator asks for a refresh."""
        self._start(self._any(self._processes).use.refresh.run(self._id))

    def go_on(self) -> None:
        """One process goes on."""
        self._any(self.world.parked).pass_on()

    async def run_on(self) -> None:
        """One process goes on for some time, while the others do not run."""
        process = self._any(self.world.parked).process
        for _ in range(1 + self._choice.of(12)):
            for crossing in [each for each in self.world.parked if each.process is process]:
                crossing.pass_on()
            await self.settle()

    def harm(self) -> None:
        """The step that one process waits for fails."""
        crossing = self._any(self.world.parked)
        crossing.harm(self._any(HARMS[crossing.border])())

    def kill(self) -> None:
        """One process dies, and another one takes its place."""
        self._busy().kill()

    def stall(self) -> None:
        """One process is suspended for any time, or resumed."""
        self._stalled = None if self._stalled else self._busy()

    def turn_store(self) -> None:
        """The store goes away, or comes back."""
        self.world.store_is_away = not self.world.store_is_away

    def revoke(self) -> None:
        """The user removes the app at Calendly."""
        self._judge.grant.revoked = True

    async def reconnect(self) -> None:
        """The user connects the same account again."""
        product, before = self.product, self._judge.stored
        # A consent takes a person some time: its moment is what tells it from the one before.
        product.clock.advance(timedelta(microseconds=1))
        pair = product.calendly.grant(before.account.user_uri)
        anew = refreshed(
            msgspec.structs.replace(before, connected_at=product.clock.now()),
            seal_pair(product.vault, self._id, pair, version=1),
            product.clock.now(),
        )
        if product.storage._one_at_a_time.locked():
            return
        async with product.storage() as uow:
            await uow.integrations.put_connected(anew)
            await uow.commit()
        self._watch()

    async def pass_moment(self) -> None:
        """A moment passes."""
        await self._pass(timedelta(seconds=0.2))

    async def pass_time(self) -> None:
        """Some time passes: processes that are awake are not suspended for so long."""
        await self._pass(timedelta(seconds=self._any((5, 20, 60, 95, 600, 3600))))

    async def _pass(self, span: timedelta) -> None:
        step = span / SLICES if span > timedelta(seconds=1) else span
        for _ in range(round(span / step)):
            await self._finish_what_ends(step)
            self.product.clock.advance(step)
            await asyncio.sleep(step.total_seconds())
        await self.settle()

    async def _finish_what_ends(self, span: timedelta) -> None:
        while ending := [each for each in self.world.parked if self._ends_within(each, span)]:
            for crossing in ending:
                if crossing.border is Border.STORE:
                    crossing.pass_on()
                else:
                    crossing.harm(CalendlyUncertain("too late"))
            await self.settle()

    def _ends_within(self, crossing: Crossing, span: timedelta) -> bool:
        if crossing.process is self._stalled:
            return False
        if crossing.border is Border.STORE:
            return span > timedelta(seconds=1)
        return self.product.clock.now() + span - crossing.since > DEADLINE

    def _start(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(_attempt(work))
        self._tasks.append(task)
        return task

    def _running(self) -> list[asyncio.Task[None]]:
        alive = [task for each in self._processes for task in each.behind()]
        return [task for task in self._tasks + alive if not task.done()]

    def _busy(self) -> Mortal:
        """Return a process that is in a step, if there is one."""
        waiting = [each.process for each in self.world.parked]
        hearing = [e.process for e in self.world.parked if e.border is Border.ANSWERING]
        return self._any(hearing or waiting or self._processes)

    def _any(self, of: Sequence[T]) -> T:
        return of[self._choice.of(len(of))]

    def _watch(self) -> None:
        self._judge.watch(self._processes)

    def _decide(self) -> Commit:
        if self.world.free or Mood.FORGETFUL not in self._moods or self._choice.of(5):
            return Commit.DONE
        return self._any(tuple(Commit) if Mood.DEADLY in self._moods else LOST_COMMITS)

    # The end.

    async def end(self) -> None:
        """Let all that live finish, and the job run once more; then judge."""
        self.world.free, self.world.store_is_away = True, False
        self._stalled = None
        for crossing in list(self.world.parked):
            crossing.pass_on()
        await self.settle()
        while self._running():
            await self._pass(timedelta(seconds=10))
        unsaved = [pair.tokens for pair in self._unsaved()]
        is_known = self._judge.is_known(unsaved, self._processes)
        self.product.clock.advance(timedelta(hours=2))
        process = self._process(self._unsaved())
        await self._run_job(process)
        await self._judge.judge(process.use, is_known=is_known)

    def _unsaved(self) -> list[UnsavedTokenPair]:
        return [pair for each in self._processes for pair in each.unsaved_tokens.kept()]

    async def _run_job(self, process: Mortal) -> None:
        while True:
            page = await process.use.refresh_due(10, _unseen, process.unsaved_tokens)
            if page.resume_in is not None:
                self.product.clock.advance(timedelta(seconds=page.resume_in))
            elif not page.more:
                return


async def _attempt(work: Coroutine[Any, Any, object]) -> None:
    """Do it; that it fails, or that its process dies, is all in the play."""
    with suppress(SlotkeeperError, asyncio.CancelledError):
        await work


def _unseen(_: JobResult) -> None:
    """Ignores the counts."""
