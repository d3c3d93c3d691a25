"""Pages of work that is queued in the database and claimed under leases.

A row that was worked is no longer due, so when an attempt dies the next one goes on behind it,
and its count is added to what the dead one reported.
"""

from collections.abc import Awaitable, Callable

from temporalio import activity

from application.jobs.job_result import JobResult, Progress
from application.ports.unsaved_tokens import UnsavedTokens
from workflows.activities.heartbeats import (
    heartbeats,
    stranded_by_earlier_attempts,
    tally_of_earlier_attempts,
)
from workflows.messages import PageInput

DuePage = Callable[[int, Progress], Awaitable[JobResult]]
"""A use case that claims and works up to so many rows."""

RefreshPage = Callable[[int, Progress, UnsavedTokens], Awaitable[JobResult]]
"""The same, with a place for token pairs that cannot be stored yet."""


class DueWork:
    """The three queues; `limit` is how many rows make a page."""

    def __init__(
        self, *, refresh: RefreshPage, sync: DuePage, apply_webhooks: DuePage, limit: int
    ) -> None:
        self._refresh = refresh
        self._sync = sync
        self._apply_webhooks = apply_webhooks
        self._limit = limit

    @activity.defn(name="refresh_due_tokens")
    async def refresh_due_tokens(self, page: PageInput) -> JobResult:  # noqa: ARG002 - room to grow
        """Refresh a page of tokens that would die before the next run."""
        before = tally_of_earlier_attempts()
        async with heartbeats(before, stranded_by_earlier_attempts()) as beats:
            return before.plus(await self._refresh(self._limit, beats.note, beats))

    @activity.defn(name="sync_due_availability")
    async def sync_due_availability(self, page: PageInput) -> JobResult:  # noqa: ARG002 - room to grow
        """Refill a page of caches that are expired or invalidated."""
        return await self._work(self._sync)

    @activity.defn(name="apply_stored_webhooks")
    async def apply_stored_webhooks(self, page: PageInput) -> JobResult:  # noqa: ARG002 - room to grow
        """Apply a page of stored webhooks that are pending."""
        return await self._work(self._apply_webhooks)

    async def _work(self, use_case: DuePage) -> JobResult:
        before = tally_of_earlier_attempts()
        async with heartbeats(before) as beats:
            return before.plus(await use_case(self._limit, beats.note))
