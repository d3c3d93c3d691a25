"""How many events the job leaves in a run's history, measured and calculated for a million rows.

Two runs of different lengths give the events of a page; from that follows what the longest run
holds, since a run ends after so many pages and goes on as a new one.
"""

import math
from collections.abc import Sequence

import msgspec
from temporalio.client import Client

from adapters.temporal import contract
from bench.jobs import client_of, start_job
from bench.row import Row
from bench.tokens.job import history_lengths
from bench.tokens.population import make_due
from bench.tokens.stage import Stage
from workflows.messages import PAGES_PER_RUN, PagingState

LIMIT = 2_000
ROWS = 1_000_000
PAGE = 100
# Small pages, so that many of them need few rows; the worker has to be told.
MEASURED_PAGE = 10


class Slope(msgspec.Struct, frozen=True):
    """Events of a run: so many for itself, and so many for each page."""

    fixed: float
    per_page: float

    def events(self, pages: int) -> int:
        """Return the events of a run of so many pages."""
        return math.ceil(self.fixed + self.per_page * pages)


class Runs:
    """Runs of the job by a worker that takes MEASURED_PAGE rows at a time."""

    def __init__(self, stage: Stage, client: Client) -> None:
        self._stage = stage
        self._client = client

    async def events(self, pages: int, state: PagingState | None = None) -> Sequence[int]:
        """Return the events of each run of a job of so many full pages and an empty one."""
        await make_due(self._stage, 0, pages * MEASURED_PAGE)
        started = await start_job(self._client, contract.REFRESH_TOKENS, state)
        await started.result()
        return await history_lengths(self._client, started)

    async def slope(self, fewer: int, more: int) -> Slope:
        """Measure a run of fewer and one of more pages."""
        (short,), (long,) = await self.events(fewer), await self.events(more)
        per_page = (long - short) / (more - fewer)
        return Slope(fixed=short - per_page * (fewer + 1), per_page=per_page)


async def row(stage: Stage, pages: tuple[int, int] = (5, 20)) -> Row:
    """Return the judgement, with a job that really went on as new runs.

    A worker has to be there, and its pages must have MEASURED_PAGE rows.
    """
    runs = Runs(stage, await client_of(stage))
    found = await runs.slope(*pages)
    split = await runs.events(pages[1], PagingState(pages_per_run=pages[0]))
    longest = found.events(PAGES_PER_RUN)
    return Row(
        what=f"history at {ROWS:,} rows",
        must=f"fewer than {LIMIT:,} events a run",
        seen=f"{found.per_page:.1f} events a page and {found.fixed:.1f} a run: {longest:,} in each"
        f" of {math.ceil(ROWS / PAGE / PAGES_PER_RUN)} runs of {PAGES_PER_RUN} pages;"
        f" {pages[1]} pages continued as new after every {pages[0]}: {', '.join(map(str, split))}",
        holds=longest < LIMIT
        and len(split) > pages[1] // pages[0]
        and max(split) <= found.events(pages[0]) + 1,
    )
