"""The hourly refresh as its workflow runs it, and the other events of the same time.

A wait of the workflow moves the clock; only the work itself takes real time.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count

from application.jobs.job_result import JobResult
from tests.faults.moved.stage import Stage
from workflows.options import REFRESH_WAITS

HOUR = timedelta(hours=1)
Happening = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """Nothing happens."""


class Schedule:
    """Moves time on, from one thing that happens to the next.

    Args:
        stage: whose job and clock.
        on_tick: what happens beside the job's first page.
        when_idle: what happens whenever the job finds nothing to do for the moment.
        runs: whether the job runs at all.

    Attributes:
        done: what all the runs did.

    """

    def __init__(
        self,
        stage: Stage,
        *,
        on_tick: Happening = nothing,
        when_idle: Happening = nothing,
        runs: bool = True,
    ) -> None:
        self._stage = stage
        self._on_tick = on_tick
        self._when_idle = when_idle
        self._runs = runs
        self._next_tick = stage.clock.now()
        self._ahead: list[tuple[datetime, int, Happening]] = []
        self._numbers = count()
        self.done = JobResult()

    def at(self, moment: datetime, happening: Happening) -> None:
        """Plan something."""
        heapq.heappush(self._ahead, (moment, next(self._numbers), happening))

    def every(self, span: timedelta, happening: Happening) -> None:
        """Plan something that happens again and again, from one span on."""
        self._again(self._stage.clock.now() + span, span, happening)

    async def play(self, until: datetime) -> None:
        """Let it be `until`; the job's first run is due immediately."""
        while self._next_tick < until:
            await self._pass(self._next_tick)
            waits_until = min(self._next_tick + REFRESH_WAITS, until)
            self._next_tick += HOUR
            await asyncio.gather(self._on_tick(), self._run(waits_until))
        await self._pass(until)

    async def _run(self, waits_until: datetime) -> None:
        while self._runs:
            page = await self._page()
            if page.more:
                continue
            await self._when_idle()
            if page.resume_in is None:
                return
            wake = self._stage.clock.now() + timedelta(seconds=page.resume_in)
            if wake > waits_until:
                # The next run takes up what is left.
                return
            await self._pass(wake)

    async def _page(self) -> JobResult:
        stage = self._stage
        page = await stage.worker.refresh_due_tokens(stage.made.settings.page_size, lambda _: None)
        self.done = self.done.plus(page)
        return page

    async def _pass(self, moment: datetime) -> None:
        while self._ahead and self._ahead[0][0] <= moment:
            when, _, happening = heapq.heappop(self._ahead)
            await self._stage.move_to(when)
            await happening()
        await self._stage.move_to(moment)

    def _again(self, moment: datetime, span: timedelta, happening: Happening) -> None:
        async def once() -> None:
            self._again(moment + span, span, happening)
            await happening()

        self.at(moment, once)
