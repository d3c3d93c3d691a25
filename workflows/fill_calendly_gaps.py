"""Making up for the time in which a webhook subscription was down."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from adapters.temporal import contract
    from application.jobs.job_result import JobResult
    from workflows import options
    from workflows.activities.sweeps import Sweeps
    from workflows.messages import PageInput, Sweep
    from workflows.paging import run_pages


@workflow.defn(name=contract.FILL_GAPS)
class FillCalendlyGaps:
    """Walks through the integrations whose deliveries have a gap, and back-fills their bookings."""

    @workflow.run
    async def run(self, sweep: Sweep = Sweep()) -> JobResult:  # noqa: B008 - frozen, so shareable
        """Work page after page until nothing is left; returns the sum of all pages."""
        return await run_pages(sweep, self._page)

    async def _page(self, page: PageInput) -> JobResult:
        return await workflow.execute_activity_method(
            Sweeps.fill_gaps, page, **options.FILL_GAPS_PAGE
        )
