"""The loop that all sweeps share: page after page until nothing more is due.

A change of the commands issued here changes every sweep: running ones replay their histories.
"""

from collections.abc import Awaitable, Callable

from temporalio import workflow

from application.tally import Tally
from workflows.details import describe
from workflows.messages import PageInput, Sweep


async def drain(sweep: Sweep, work_page: Callable[[PageInput], Awaitable[Tally]]) -> Tally:
    """Work pages and return the sum; continue as a new run before the history grows long."""
    total, pages = sweep.so_far, sweep.pages_done
    while True:
        total = total.plus(await work_page(PageInput(cursor=total.cursor)))
        pages += 1
        workflow.set_current_details(describe(total, pages))
        if not total.more:
            return total
        if (
            pages - sweep.pages_done >= sweep.pages_per_run
            or workflow.info().is_continue_as_new_suggested()
        ):
            workflow.continue_as_new(
                Sweep(so_far=total, pages_done=pages, pages_per_run=sweep.pages_per_run)
            )
