"""How moved hours pass: minute by minute, with everything in its order, the sync every quarter.

Many readers are under way at once, as in a process that serves. The sync runs beside them, and
the next minute begins once both have ended, since a moved minute is a fraction of a real one.
"""

import asyncio
import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from random import Random

from application.jobs.job_result import JobResult
from bench.availability.town.invitees import Invitees, Planned
from bench.availability.town.readers import Readers
from bench.availability.town.town import Town
from bench.availability.town.truth import Taken

MINUTE = timedelta(minutes=1)
SYNC_EVERY = 15  # minutes
AT_ONCE = 16


class Hours:
    """Lets time pass in a town.

    Args:
        town: which one.
        ranks: of its hosts, see `Readers`.
        reads_a_minute: by all readers together.

    Attributes:
        synced: what the runs of the sync did.

    """

    def __init__(self, town: Town, ranks: Sequence[int], reads_a_minute: float) -> None:
        self._town = town
        self._reads = reads_a_minute
        self._taken = Taken()
        self._random = Random("hours")  # noqa: S311 - the same day in every run
        self._ahead: list[tuple[datetime, int, Planned]] = []
        self._numbers = count()
        self.readers = Readers(town, self._taken, ranks)
        self.invitees = Invitees(town, self._taken, self._plan)
        self.synced = JobResult()

    async def pass_(self, hours: float) -> None:
        """Let so many hours pass."""
        for minute in range(int(hours * 60)):
            start = self._town.clock.now()
            work = [self._minute(start)]
            if minute % SYNC_EVERY == 0:
                work.append(self._sync())
            await asyncio.gather(*work)
            self._town.clock.move_to(start + MINUTE)
            # The web does so every few seconds by itself, of which here are too few.
            await self._town.web.usage.write()

    async def _sync(self) -> None:
        self.synced = self.synced.plus(await self._town.sync())

    async def _minute(self, start: datetime) -> None:
        for each in (*self._reading(start), *self.invitees.minute(start)):
            self._plan(each)
        due = self._due(start + MINUTE)

        async def work() -> None:
            for planned in due:
                self._town.clock.move_to(planned.at)
                await planned.act()

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())

    def _reading(self, start: datetime) -> Iterable[Planned]:
        seconds = MINUTE.total_seconds()
        for _ in range(int(self._reads + self._random.random())):
            at = start + timedelta(seconds=seconds * self._random.random())
            yield Planned(at, self.readers.read)

    def _plan(self, planned: Planned) -> None:
        heapq.heappush(self._ahead, (planned.at, next(self._numbers), planned))

    def _due(self, until: datetime) -> Iterator[Planned]:
        """Return one after the other what comes before then, also what is planned meanwhile."""
        while self._ahead and self._ahead[0][0] < until:
            yield heapq.heappop(self._ahead)[2]
