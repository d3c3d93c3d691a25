"""The exchange log in its plainest form: a unit of work for each record.

The measure of every other form: what is found in the store afterwards must be the same.
"""

from datetime import datetime

from application.ports.storage.refresh_queue import Start
from application.ports.storage.unit_of_work import Storage
from domain.ids import IntegrationId
from domain.integration import Integration, Lease


class SingleExchangeLog:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def begin(
        self, integration_id: IntegrationId, lease: Lease, now: datetime, until: datetime
    ) -> Start:
        async with self._storage() as uow:
            start = await uow.refresh_queue.begin_exchange(integration_id, lease, now, until)
            await uow.commit()
        return start

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
        held_until: datetime | None = None,
    ) -> bool:
        async with self._storage() as uow:
            stored = await uow.refresh_queue.finish(
                integration,
                lease,
                expected_version=expected_version,
                next_attempt_at=next_attempt_at,
                held_until=held_until,
            )
            await uow.commit()
        return stored
