"""The events that the job adds to a run's history, measured and calculated for a million rows.

Two runs of different lengths give the events of a page. The longest run follows from that, since a
run continues as a new one after a fixed number of pages.
"""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
from temporalio.client import Client, WorkflowHandle

from adapters.temporal import contract
from application.jobs.job_result import JobResult
from bench.jobs import start_job
from bench.report import Check
from bench.stack import Stack
from bench.tokens.population import make_due
from workflows.messages import PAGES_PER_RUN, PagingState

LIMIT = 2_000
ROWS = 1_000_000
PAGE = 100
# Small pages, so that many of them need few rows; the worker is configured with the same size.
MEASURED_PAGE = 10


class Slope(msgspec.Struct, frozen=True):
    """Events of a run: a fixed number, and a number for each page."""

    fixed: float
    per_page: float

    def events(self, pages: int) -> int:
        """Return the events of a run of so many pages."""
        return math.ceil(self.fixed + self.per_page * pages)


class Runs:
    """Runs of the job by a worker with pages of MEASURED_PAGE rows."""

    def __init__(self, stack: Stack, client: Client) -> None:
        self._stack = stack
        self._client = client

    async def events(self, pages: int, sweep: PagingState | None = None) -> Sequence[int]:
        """Return the events of each run of a job of so many full pages and an empty one."""
        await make_due(self._stack, 0, pages * MEASURED_PAGE)
        started = await start_job(self._client, contract.REFRESH_TOKENS, sweep)
        await started.result()
        return await _history_lengths(self._client, started)

    async def slope(self, fewer: int, more: int) -> Slope:
        """Measure a run of fewer pages and one of more."""
        (short,), (long,) = await self.events(fewer), await self.events(more)
        per_page = (long - short) / (more - fewer)
        return Slope(fixed=short - per_page * (fewer + 1), per_page=per_page)


async def _history_lengths(client: Client, started: WorkflowHandle[Any, JobResult]) -> list[int]:
    """Return the events of each run of a job that has ended, the first run first."""
    lengths, run_id = [], started.first_execution_run_id
    while run_id:
        history = await client.get_workflow_handle(started.id, run_id=run_id).fetch_history()
        lengths.append(len(history.events))
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = last.new_execution_run_id
    return lengths


async def check(stack: Stack, pages: tuple[int, int] = (5, 20)) -> Check:
    """Check the longest history, and a job that did continue as new runs.

    A worker must be running, with pages of MEASURED_PAGE rows.
    """
    runs = Runs(stack, await stack.temporal_client())
    slope = await runs.slope(*pages)
    split = await runs.events(pages[1], PagingState(pages_per_run=pages[0]))
    longest = slope.events(PAGES_PER_RUN)
    return Check(
        subject=f"history at {ROWS:,} rows",
        requirement=f"fewer than {LIMIT:,} events a run",
        measured=f"{slope.per_page:.1f} events a page and {slope.fixed:.1f} a run: {longest:,} in"
        f" each of {math.ceil(ROWS / PAGE / PAGES_PER_RUN)} runs of {PAGES_PER_RUN} pages;"
        f" {pages[1]} pages continued as new after every {pages[0]}: {', '.join(map(str, split))}",
        passed=longest < LIMIT
        and len(split) > pages[1] // pages[0]
        and max(split) <= slope.events(pages[0]) + 1,
    )
