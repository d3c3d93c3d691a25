"""Pages of deleting what was kept for long enough.

An attempt that follows a dead one begins at the same cursor; what that one deleted is gone, and
is missing from the count.
"""

from temporalio import activity

from application.jobs.job_result import JobResult
from workflows.activities.heartbeats import heartbeats
from workflows.activities.sweeps import CursorPage
from workflows.messages import PageInput

ROWS_PER_STATEMENT = 10
"""Rows of a page for each row of other jobs' pages: a deletion calls nobody. What opens sealed
bodies takes fewer at once, whatever it is asked for."""


class Keeping:
    """The retention of what is stored; `limit` is how many rows make a page of other jobs."""

    def __init__(self, *, prune: CursorPage, limit: int) -> None:
        self._prune = prune
        self._limit = limit * ROWS_PER_STATEMENT

    @activity.defn(name="prune_webhooks")
    async def prune_webhooks(self, page: PageInput) -> JobResult:
        """Look at a page of what is stored, and delete of it what is over."""
        async with heartbeats() as beats:
            return await self._prune(page.cursor, self._limit, beats.note)
