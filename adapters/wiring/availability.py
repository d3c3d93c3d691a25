"""The cache: reading and filling it."""

from adapters.calendly.availability import CalendlyAvailabilityGateway
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.availability.fetch import FetchAvailability
from application.availability.read_busy_times import ReadBusyTimes
from application.availability.read_lists import ReadEventTypes, ReadSchedules
from application.availability.read_slots import ReadAvailability
from application.availability.read_through_cache import ReadThroughCache
from application.availability.refresh_cache import RefreshCache
from application.availability.refresh_due import SyncDueAvailability
from application.availability.single_flight import SingleFlight
from application.availability.usage_tracking import UsageTracker
from domain.cache_policy import CachePolicy


def sync_availability(made: Resources, calendly: Calendly) -> RefreshCache:
    """Wire the use case."""
    return RefreshCache(
        storage=made.storage,
        fetch=FetchAvailability(
            session=calendly.session,
            calendly=CalendlyAvailabilityGateway(calendly.api),
            clock=made.clock,
        ),
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
        policy=_cache_policy(made),
        owner=made.owner,
    )


def sync_due_availability(
    made: Resources, calendly: Calendly, sync: RefreshCache
) -> SyncDueAvailability:
    """Wire the use case."""
    return SyncDueAvailability(
        storage=made.storage,
        sync=sync,
        circuit_breakers=calendly.circuit_breakers,
        clock=made.clock,
        telemetry=made.telemetry,
        concurrency=made.settings.concurrency,
    )


def usage(made: Resources) -> UsageTracker:
    """Wire the gathering of read marks; one a process."""
    return UsageTracker(storage=made.storage, background=made.background)


def read_through_cache(
    made: Resources, calendly: Calendly, sync: RefreshCache, usage: UsageTracker
) -> ReadThroughCache:
    """Wire the reader's side of the cache; one a process, whose readers share their fetches."""
    flights = SingleFlight(
        sync=sync,
        circuit_breakers=calendly.circuit_breakers,
        background=made.background,
        randomness=made.randomness,
        telemetry=made.telemetry,
    )
    return ReadThroughCache(
        storage=made.storage,
        flights=flights,
        usage=usage,
        clock=made.clock,
        telemetry=made.telemetry,
        policy=_cache_policy(made),
    )


def read_event_types(cache: ReadThroughCache) -> ReadEventTypes:
    """Wire the use case."""
    return ReadEventTypes(cache=cache)


def read_schedules(cache: ReadThroughCache) -> ReadSchedules:
    """Wire the use case."""
    return ReadSchedules(cache=cache)


def read_availability(made: Resources, cache: ReadThroughCache) -> ReadAvailability:
    """Wire the use case."""
    horizon = made.settings.availability_horizon
    return ReadAvailability(cache=cache, clock=made.clock, horizon=horizon)


def read_busy_times(made: Resources, cache: ReadThroughCache) -> ReadBusyTimes:
    """Wire the use case."""
    horizon = made.settings.availability_horizon
    return ReadBusyTimes(cache=cache, clock=made.clock, horizon=horizon)


def _cache_policy(made: Resources) -> CachePolicy:
    settings = made.settings
    return CachePolicy(
        soft_ttl=settings.cache_soft_ttl,
        lists_soft_ttl=settings.cache_lists_soft_ttl,
        stale_while_revalidate=settings.cache_stale_while_revalidate,
        ttl=settings.cache_ttl,
        jitter=settings.cache_jitter / 100,
        keep_warm=settings.cache_keep_warm,
    )
