"""The refresh log in its plainest form: one unit of work for each record.

Every other form must leave the same state in the store.
"""

from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult
from application.ports.storage.unit_of_work import Storage


class SingleRefreshLog:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def begin(self, start: RefreshStart) -> StartResult:
        async with self._storage() as uow:
            (result,) = await uow.refresh_queue.begin([start])
            await uow.commit()
        return result

    async def finish(self, end: RefreshEnd) -> bool:
        async with self._storage() as uow:
            (stored,) = await uow.refresh_queue.finish([end])
            await uow.commit()
        return stored
