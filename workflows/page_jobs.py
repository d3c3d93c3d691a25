"""The jobs that schedules start: each works page after page until no work is left.

Each returns the sum of all pages. Running workflows hold the names of the types and of the
activities, so neither may change.
"""

from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from adapters.temporal import contract
    from application.jobs.job_result import JobResult
    from workflows import options
    from workflows.activities.pages import PageActivities
    from workflows.messages import PagingState
    from workflows.paging import NO_WAITS, run_pages

START: Final = PagingState()


@workflow.defn(name=contract.REFRESH_TOKENS)
class RefreshCalendlyTokens:
    """Refreshes every integration whose token would expire before the next run ends."""

    @workflow.run
    async def run(self, state: PagingState = START) -> JobResult:
        """Work the pages, and wait for rows that an outage or a passing failure delays.

        A due token expires soon after, so a scheduled run does not leave such rows to the next
        hour. A run that a person or a program starts returns immediately with its result so far.
        """
        on_request = workflow.info().workflow_id == contract.REFRESH_TOKENS_ID
        return await run_pages(
            PageActivities.refresh_due_tokens,
            options.REFRESH_PAGE,
            state,
            waits_for=NO_WAITS if on_request else options.REFRESH_WAITS,
        )


@workflow.defn(name=contract.SYNC_AVAILABILITY)
class SyncCalendlyAvailability:
    """Refreshes every cache that is expired or invalidated."""

    @workflow.run
    async def run(self, state: PagingState = START) -> JobResult:
        return await run_pages(PageActivities.sync_due_availability, options.SYNC_PAGE, state)


@workflow.defn(name=contract.APPLY_WEBHOOKS)
class ApplyCalendlyWebhooks:
    """Applies every stored webhook that is due; on arrival they could not be applied."""

    @workflow.run
    async def run(self, state: PagingState = START) -> JobResult:
        return await run_pages(PageActivities.apply_stored_webhooks, options.APPLY_PAGE, state)


@workflow.defn(name=contract.HEAL_WEBHOOKS)
class HealCalendlyWebhooks:
    """Walks through all integrations, and repairs their webhook subscriptions."""

    @workflow.run
    async def run(self, state: PagingState = START) -> JobResult:
        return await run_pages(PageActivities.heal_subscriptions, options.HEAL_PAGE, state)


@workflow.defn(name=contract.RECONCILE_BOOKINGS)
class ReconcileCalendlyBookings:
    """Walks through all integrations, and repairs bookings whose webhooks were lost."""

    @workflow.run
    async def run(self, state: PagingState = START) -> JobResult:
        return await run_pages(PageActivities.reconcile_bookings, options.RECONCILE_PAGE, state)


@workflow.defn(name=contract.FILL_GAPS)
class FillCalendlyGaps:
    """Walks through the integrations with a gap in deliveries, and back-fills their bookings."""

    @workflow.run
    async def run(self, state: PagingState = START) -> JobResult:
        return await run_pages(PageActivities.fill_gaps, options.FILL_GAPS_PAGE, state)


@workflow.defn(name=contract.PRUNE_WEBHOOKS)
class PruneCalendlyWebhooks:
    """Deletes stored webhooks and other rows whose retention is over."""

    @workflow.run
    async def run(self, state: PagingState = START) -> JobResult:
        return await run_pages(PageActivities.prune_webhooks, options.PRUNE_PAGE, state)
