"""The proactive token refresh."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from adapters.temporal import contract
    from application.jobs.job_result import JobResult
    from workflows import options
    from workflows.activities.due_work import DueWork
    from workflows.messages import PageInput, Sweep
    from workflows.paging import NO_WAITS, run_pages


@workflow.defn(name=contract.REFRESH_TOKENS)
class RefreshCalendlyTokens:
    """Refreshes every integration whose token would die before the next run ends."""

    @workflow.run
    async def run(self, sweep: Sweep = Sweep()) -> JobResult:  # noqa: B008 - frozen, so shareable
        """Work page after page until nothing is left; returns the sum of all pages.

        What an outage or a passing failure puts off, a scheduled run waits for rather than
        leaving it to the next hour: a token that is due lives only a little longer than that. A
        run that somebody asked for tells at once what it could do.
        """
        asked_for = workflow.info().workflow_id == contract.REFRESH_TOKENS_ID
        waits_for = NO_WAITS if asked_for else options.REFRESH_WAITS
        return await run_pages(sweep, self._page, waits_for=waits_for)

    async def _page(self, page: PageInput) -> JobResult:
        return await workflow.execute_activity_method(
            DueWork.refresh_due_tokens, page, **options.REFRESH_PAGE
        )
