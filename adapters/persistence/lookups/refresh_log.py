"""The refresh log that writes concurrent records in one transaction.

One commit, and one wait for the disk, serves all token requests of this process that are at the
same point. Each call still returns only when its own record is durable.
"""

from collections.abc import Sequence
from datetime import datetime

from adapters.persistence.repositories.refresh_records import (
    Beginning,
    Ending,
    begin_all,
    finish_all,
)
from adapters.persistence.session import Session
from application.ports.storage.refresh_queue import Start
from application.ports.storage.unit_of_work import Storage
from application.resilience.group_commit import GroupCommit
from domain.ids import IntegrationId
from domain.integration import Integration, Lease


class GroupedRefreshLog:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._session = Session()
        self._begin = GroupCommit(self._begin_all, key=lambda one: one.integration_id)
        self._finish = GroupCommit(self._finish_all, key=lambda one: one.integration.id)

    async def begin(
        self, integration_id: IntegrationId, lease: Lease, now: datetime, until: datetime
    ) -> Start:
        return await self._begin(Beginning(integration_id, lease, now, until))

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
        held_until: datetime | None = None,
    ) -> bool:
        ending = Ending(integration, lease, expected_version, next_attempt_at, held_until)
        return await self._finish(ending)

    async def _begin_all(self, beginnings: Sequence[Beginning]) -> Sequence[Start]:
        async with self._storage() as uow:
            starts = await begin_all(self._session, beginnings)
            await uow.commit()
        return starts

    async def _finish_all(self, endings: Sequence[Ending]) -> Sequence[bool]:
        async with self._storage() as uow:
            stored = await finish_all(self._session, endings)
            await uow.commit()
        return stored
