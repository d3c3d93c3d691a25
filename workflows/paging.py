"""The loop that all sweeps share: page after page until nothing more is due.

A change of the commands issued here changes every sweep: running ones replay their histories.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow

from application.jobs.job_result import JobResult
from workflows.details import describe, describe_wait
from workflows.messages import LONGEST_HISTORY, PageInput, Sweep

NO_WAITS: Final = timedelta(0)


async def run_pages(
    sweep: Sweep,
    work_page: Callable[[PageInput], Awaitable[JobResult]],
    *,
    waits_for: timedelta = NO_WAITS,
) -> JobResult:
    """Work pages and return the sum; continue as a new run before the history grows long.

    Args:
        sweep: where to go on.
        work_page: the activity that works one page.
        waits_for: a page may ask to be looked at again a little later, by its `resume_in`; the
            sweep does so, as a timer, until it is this old. Then the rest is the next run's.

    """
    total, pages = sweep.so_far, sweep.pages_done
    waits_until = sweep.waits_until or (workflow.now() + waits_for if waits_for else None)
    while True:
        total = total.plus(await work_page(PageInput(cursor=total.cursor)))
        pages += 1
        resumes_at = _resumes_at(total, waits_until)
        workflow.set_current_details(
            describe(total, pages) + describe_wait(total.held_by, resumes_at)
        )
        if resumes_at is not None:
            await workflow.sleep(resumes_at - workflow.now())
        elif not total.more:
            return total
        if pages - sweep.pages_done >= sweep.pages_per_run or _is_long():
            workflow.continue_as_new(
                Sweep(
                    so_far=total,
                    pages_done=pages,
                    pages_per_run=sweep.pages_per_run,
                    waits_until=waits_until,
                )
            )


def _is_long() -> bool:
    history = workflow.info()
    if history.is_continue_as_new_suggested():
        return True
    return history.get_current_history_length() >= LONGEST_HISTORY


def _resumes_at(total: JobResult, waits_until: datetime | None) -> datetime | None:
    if total.resume_in is None or waits_until is None:
        return None
    resumes_at = workflow.now() + timedelta(seconds=total.resume_in)
    return resumes_at if resumes_at <= waits_until else None
