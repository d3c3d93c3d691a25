"""One start or one outcome of a refresh, recorded within a unit of work."""

from datetime import datetime

from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult
from application.ports.storage.unit_of_work import UnitOfWork
from domain.ids import IntegrationId
from domain.integration import Integration, Lease


async def begin(
    uow: UnitOfWork, integration_id: IntegrationId, lease: Lease, now: datetime, until: datetime
) -> StartResult:
    """Record a batch of one start."""
    found = await uow.integrations.get(integration_id)
    version = found.tokens.version if found and found.tokens else 0
    start = RefreshStart(integration_id, lease, now, until, version)
    (result,) = await uow.refresh_queue.begin([start])
    return result


async def finish(
    uow: UnitOfWork,
    integration: Integration,
    lease: Lease,
    *,
    expected_version: int,
    next_attempt_at: datetime | None,
    keep_lease_until: datetime | None = None,
) -> bool:
    """Record a batch of one outcome."""
    end = RefreshEnd(integration, lease, expected_version, next_attempt_at, keep_lease_until)
    (stored,) = await uow.refresh_queue.finish([end])
    return stored
