"""The application of stored webhooks that could not be applied on arrival."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from adapters.temporal import contract
    from application.jobs.job_result import JobResult
    from workflows import options
    from workflows.activities.due_work import DueWork
    from workflows.messages import PageInput, Sweep
    from workflows.paging import run_pages


@workflow.defn(name=contract.APPLY_WEBHOOKS)
class ApplyCalendlyWebhooks:
    """Applies every stored webhook whose time has come."""

    @workflow.run
    async def run(self, sweep: Sweep = Sweep()) -> JobResult:  # noqa: B008 - frozen, so shareable
        """Work page after page until nothing is left; returns the sum of all pages."""
        return await run_pages(sweep, self._page)

    async def _page(self, page: PageInput) -> JobResult:
        return await workflow.execute_activity_method(
            DueWork.apply_stored_webhooks, page, **options.APPLY_PAGE
        )
