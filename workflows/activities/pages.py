"""The activities of the page jobs: each works one page of rows.

Queues: the use case claims due rows under leases. A finished row is no longer due, so the next
attempt continues after a killed one and adds that one's count to its own.

Walks: the page begins at a cursor. The next attempt begins there again and counts the whole page.
Rows that the killed attempt deleted are missing from the count.
"""

from collections.abc import Awaitable, Callable

from temporalio import activity

from adapters.wiring.services import Services
from application.jobs.job_result import JobResult, Progress
from workflows.activities.heartbeats import earlier_result, earlier_unsaved_tokens, heartbeats
from workflows.messages import PageInput

ROWS_PER_STATEMENT = 10
"""Rows of a page of deletions per row of another job's page: a deletion calls no other service.
The step that opens sealed bodies takes fewer at a time, whatever the limit."""

_QueuePage = Callable[[int, Progress], Awaitable[JobResult]]
_WalkPage = Callable[[str | None, int, Progress], Awaitable[JobResult]]


class PageActivities:
    """One page of each job; `page_size` is in rows."""

    def __init__(self, services: Services, *, page_size: int) -> None:
        self._services = services
        self._page_size = page_size

    @activity.defn(name="refresh_due_tokens")
    async def refresh_due_tokens(self, _page: PageInput) -> JobResult:
        """Refresh a page of the tokens that expire before the next run."""
        before = earlier_result()
        async with heartbeats(before, earlier_unsaved_tokens()) as beats:
            refresh = self._services.refresh_due_tokens
            return before.plus(await refresh(self._page_size, beats.note, beats))

    @activity.defn(name="sync_due_availability")
    async def sync_due_availability(self, _page: PageInput) -> JobResult:
        """Refresh a page of caches that are expired or invalidated."""
        return await self._queue(self._services.sync_due_availability)

    @activity.defn(name="apply_stored_webhooks")
    async def apply_stored_webhooks(self, _page: PageInput) -> JobResult:
        """Apply a page of stored webhooks that are pending."""
        return await self._queue(self._services.apply_webhooks)

    @activity.defn(name="heal_subscriptions")
    async def heal_subscriptions(self, page: PageInput) -> JobResult:
        """Compare a page of desired and actual webhook subscriptions, and repair them."""
        return await self._walk(self._services.heal_subscriptions, page)

    @activity.defn(name="reconcile_bookings")
    async def reconcile_bookings(self, page: PageInput) -> JobResult:
        """Compare the bookings of a page of integrations with Calendly's, and repair ours."""
        return await self._walk(self._services.reconcile_all, page)

    @activity.defn(name="fill_gaps")
    async def fill_gaps(self, page: PageInput) -> JobResult:
        """Back-fill the bookings of a page of integrations whose deliveries have a gap."""
        return await self._walk(self._services.fill_gaps, page)

    @activity.defn(name="prune_webhooks")
    async def prune_webhooks(self, page: PageInput) -> JobResult:
        """Delete the expired rows of a page."""
        return await self._walk(self._services.prune_webhooks, page, ROWS_PER_STATEMENT)

    async def _queue(self, use_case: _QueuePage) -> JobResult:
        before = earlier_result()
        async with heartbeats(before) as beats:
            return before.plus(await use_case(self._page_size, beats.note))

    async def _walk(self, use_case: _WalkPage, page: PageInput, factor: int = 1) -> JobResult:
        async with heartbeats() as beats:
            return await use_case(page.cursor, self._page_size * factor, beats.note)
