"""The loop that all page jobs share: page after page until no work is due.

A change of the commands issued here changes every page job: running ones replay their histories.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.workflow import ActivityConfig

from application.jobs.job_result import JobResult
from workflows.activities.pages import PageActivities
from workflows.details import describe, describe_wait
from workflows.messages import LONGEST_HISTORY, PageInput, PagingState

NO_WAITS: Final = timedelta(0)


async def run_pages(
    activity: Callable[[PageActivities, PageInput], Awaitable[JobResult]],
    config: ActivityConfig,
    state: PagingState,
    *,
    waits_for: timedelta = NO_WAITS,
) -> JobResult:
    """Work pages and return the sum; continue as a new run before the history grows long.

    Args:
        activity: works one page.
        config: its time-outs and retries.
        state: where to continue.
        waits_for: a page may ask for another page a little later, by its `resume_in`. The job
            waits for it, with a timer, until the job is this old. Then the next run takes over.

    """
    total, pages = state.so_far, state.pages_done
    waits_until = state.waits_until or (workflow.now() + waits_for if waits_for else None)
    while True:
        page = PageInput(cursor=total.cursor)
        total = total.plus(await workflow.execute_activity_method(activity, page, **config))
        pages += 1
        resumes_at = _resumes_at(total, waits_until)
        workflow.set_current_details(
            describe(total, pages) + describe_wait(total.held_by, resumes_at)
        )
        if resumes_at is not None:
            await workflow.sleep(resumes_at - workflow.now())
        elif not total.more:
            return total
        if pages - state.pages_done >= state.pages_per_run or _is_long():
            workflow.continue_as_new(
                PagingState(
                    so_far=total,
                    pages_done=pages,
                    pages_per_run=state.pages_per_run,
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
