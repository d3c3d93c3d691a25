"""The refresh log that writes concurrent records in one transaction.

One commit, and one wait for the disk, serves all refreshes of this process that are at the same
point. Each call returns only when its own record is durable.
"""

from collections.abc import Sequence

from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult
from application.ports.storage.unit_of_work import Storage
from application.resilience.group_commit import GroupCommit


class GroupedRefreshLog:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._starts = GroupCommit(self._begin_all, key=lambda start: start.integration_id)
        self._ends = GroupCommit(self._finish_all, key=lambda end: end.integration.id)

    async def begin(self, start: RefreshStart) -> StartResult:
        return await self._starts(start)

    async def finish(self, end: RefreshEnd) -> bool:
        return await self._ends(end)

    async def _begin_all(self, starts: Sequence[RefreshStart]) -> Sequence[StartResult]:
        async with self._storage() as uow:
            results = await uow.refresh_queue.begin(starts)
            await uow.commit()
        return results

    async def _finish_all(self, ends: Sequence[RefreshEnd]) -> Sequence[bool]:
        async with self._storage() as uow:
            stored = await uow.refresh_queue.finish(ends)
            await uow.commit()
        return stored
