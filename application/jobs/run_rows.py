"""Run the rows of a page concurrently; count each, and let none stop the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from application.jobs.job_result import JobCounter
from domain.errors import SlotkeeperError

Row = TypeVar("Row")


async def run_rows(
    rows: Iterable[Row],
    work: Callable[[Row], Awaitable[str]],
    *,
    concurrency: int,
    counter: JobCounter,
    unexpected: Callable[[Exception], str] | None = None,
) -> None:
    """Return when every row has been worked on and counted.

    Args:
        rows: what to work on.
        work: one row; returns the result to count, or raises the error whose code is counted.
        concurrency: how many run concurrently.
        counter: counts the page's rows.
        unexpected: what to count for an exception that is not ours; None lets it end the page.

    """
    gate = asyncio.Semaphore(concurrency)

    async def one(row: Row) -> None:
        async with gate:
            try:
                result = await work(row)
            except SlotkeeperError as error:
                counter.failed(error.code)
            except Exception as error:
                if unexpected is None:
                    raise
                counter.failed(unexpected(error))
            else:
                counter.done(result)

    async with asyncio.TaskGroup() as group:
        for row in rows:
            group.create_task(one(row))
