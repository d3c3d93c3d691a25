"""The doctor's access to PostgreSQL, Temporal and Calendly; tests pass others."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters.calendly.http import open_http
from adapters.calendly.oauth import CalendlyOAuthGateway
from adapters.calendly.rate_budget import RateBudget
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.migrate import pending, unmet
from adapters.persistence.preconditions import Unmet
from adapters.persistence.storage import open_storage
from adapters.security.closed_vault import ClosedVault
from adapters.settings import Settings, TemporalSettings
from adapters.system.clock import SystemClock
from adapters.system.clock_sync import measure
from adapters.temporal.connect import connect
from adapters.temporal.jobs import TemporalJobs
from adapters.temporal.schedules import ScheduleFaults
from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.storage.api_keys import ApiKey
from application.security.rotate_encryption import count_by_key
from domain.secret import Secret

# Every token dies before this.
_ALL = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Probes:
    """One function for each server.

    Args:
        pending_migrations: returns the ids that the database at a URL lacks; raises
            StorageUnavailable.
        reach_temporal: returns when Temporal answers and knows the namespace; raises
            JobsUnavailable.
        count_sealed: returns the number of values that each key sealed in the database at a URL,
            by key id. The id is empty for values that are not sealed. Raises StorageUnavailable.
        unmet_preconditions: returns what the database at a URL lacks; raises StorageUnavailable,
            StoreRefused.
        count_foreign: returns how many connected accounts in the database at a URL have a grant of
            another client than the given id. Raises StorageUnavailable.
        open_oauth: opens Calendly's OAuth host with our credentials.
        clock_skew: returns this host's clock minus that of the database at a URL; raises
            StorageUnavailable.
        schedule_faults: returns the schedules that are missing or different; raises
            JobsUnavailable.
        api_keys: returns the keys in the database at a URL; raises StorageUnavailable.

    """

    pending_migrations: Callable[[Secret], Awaitable[list[str]]]
    reach_temporal: Callable[[TemporalSettings], Awaitable[None]]
    count_sealed: Callable[[Secret], Awaitable[Mapping[str, int]]]
    unmet_preconditions: Callable[[Secret], Awaitable[list[Unmet]]]
    count_foreign: Callable[[Secret, str], Awaitable[int]]
    open_oauth: Callable[[Settings], AbstractAsyncContextManager[CalendlyOAuth]]
    clock_skew: Callable[[Secret], Awaitable[timedelta]]
    schedule_faults: Callable[[TemporalSettings], Awaitable[ScheduleFaults]]
    api_keys: Callable[[Secret], Awaitable[list[ApiKey]]]


async def _reach_temporal(settings: TemporalSettings) -> None:
    client = await connect(settings.temporal_address, settings.temporal_namespace)
    await TemporalJobs(client).check()


async def _schedule_faults(settings: TemporalSettings) -> ScheduleFaults:
    client = await connect(settings.temporal_address, settings.temporal_namespace)
    return await TemporalJobs(client).schedule_faults()


async def _api_keys(database_url: Secret) -> list[ApiKey]:
    async with (
        open_storage(database_url, ClosedVault(), Bulkhead(size=1)) as storage,
        storage() as uow,
    ):
        return await uow.api_keys.all()


async def _count_sealed(database_url: Secret) -> Mapping[str, int]:
    async with open_storage(database_url, ClosedVault(), Bulkhead(size=1)) as storage:
        return await count_by_key(storage)


async def _clock_skew(database_url: Secret) -> timedelta:
    async with open_storage(database_url, ClosedVault(), Bulkhead(size=1)) as storage:
        return (await measure(storage.database_time)).skew


async def _count_foreign(database_url: Secret, client_id: str) -> int:
    async with (
        open_storage(database_url, ClosedVault(), Bulkhead(size=1)) as storage,
        storage() as uow,
    ):
        return await uow.refresh_queue.count_foreign(_ALL, client_id)


@asynccontextmanager
async def _open_oauth(settings: Settings) -> AsyncIterator[CalendlyOAuth]:
    clock = SystemClock()
    async with open_http() as client:
        yield CalendlyOAuthGateway(
            client,
            auth_url=settings.calendly_auth_url,
            client_id=settings.calendly_client_id,
            client_secret=settings.calendly_client_secret,
            clock=clock,
            budget=RateBudget(clock),
        )


REAL_PROBES = Probes(
    pending,
    _reach_temporal,
    _count_sealed,
    unmet,
    _count_foreign,
    _open_oauth,
    _clock_skew,
    _schedule_faults,
    _api_keys,
)
