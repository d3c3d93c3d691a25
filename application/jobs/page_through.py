"""Walk through all live integrations, a page at a time, doing one thing to each."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from application.jobs.job_result import JobCounter, JobResult, Progress
from application.jobs.run_rows import run_rows
from application.ports.storage.unit_of_work import Storage
from domain.ids import IntegrationId
from domain.integration import Integration


async def page_through(
    storage: Storage,
    work: Callable[[Integration], Awaitable[str]],
    *,
    cursor: str | None,
    limit: int,
    concurrency: int,
    progress: Progress,
) -> JobResult:
    """Work through the page of live integrations after the cursor.

    Args:
        storage: where they are.
        work: what to do to each; returns the result to count.
        cursor: the last id of the page before, or None for the first page.
        limit: rows at most.
        concurrency: how many run concurrently.
        progress: called after each.

    Returns:
        The counts with the cursor of the next page; `more` says whether there may be one.

    """
    after = IntegrationId(UUID(cursor)) if cursor else None
    async with storage() as uow:
        page = await uow.integrations.live_after(after, limit)
    counter = JobCounter(progress)
    await run_rows(page, work, concurrency=concurrency, counter=counter)
    return counter.page(more=len(page) == limit, cursor=str(page[-1].id) if page else cursor)
