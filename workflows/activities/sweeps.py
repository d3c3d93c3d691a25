"""Pages of sweeps that walk through all integrations by a cursor.

An attempt that follows a dead one begins at the same cursor, so it counts its page anew.
"""

from collections.abc import Awaitable, Callable

from temporalio import activity

from application.jobs.job_result import JobResult, Progress
from workflows.activities.heartbeats import heartbeats
from workflows.messages import PageInput

CursorPage = Callable[[str | None, int, Progress], Awaitable[JobResult]]
"""A use case that works up to so many rows behind a cursor."""


class Sweeps:
    """The sweeps; `limit` is how many integrations make a page."""

    def __init__(
        self, *, heal: CursorPage, reconcile: CursorPage, fill_gaps: CursorPage, limit: int
    ) -> None:
        self._heal = heal
        self._reconcile = reconcile
        self._fill_gaps = fill_gaps
        self._limit = limit

    @activity.defn(name="heal_subscriptions")
    async def heal_subscriptions(self, page: PageInput) -> JobResult:
        """Compare a page of desired and actual webhook subscriptions, and mend them."""
        async with heartbeats() as beats:
            return await self._heal(page.cursor, self._limit, beats.note)

    @activity.defn(name="reconcile_bookings")
    async def reconcile_bookings(self, page: PageInput) -> JobResult:
        """Compare the bookings of a page of integrations with Calendly's, and repair ours."""
        async with heartbeats() as beats:
            return await self._reconcile(page.cursor, self._limit, beats.note)

    @activity.defn(name="fill_gaps")
    async def fill_gaps(self, page: PageInput) -> JobResult:
        """Back-fill the bookings of a page of integrations whose deliveries have a gap."""
        async with heartbeats() as beats:
            return await self._fill_gaps(page.cursor, self._limit, beats.note)
