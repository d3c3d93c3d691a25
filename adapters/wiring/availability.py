"""The availability cache: reading it and filling it."""

from adapters.calendly.availability import CalendlyAvailabilityGateway
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.availability.fetch import FetchAvailability
from application.availability.read_through_cache import ReadThroughCache
from application.availability.refresh_cache import RefreshCache
from application.availability.refresh_due import SyncDueAvailability
from application.availability.single_flight import SingleFlight
from application.availability.usage_tracking import UsageTracker
from domain.cache_policy import CachePolicy


def sync_availability(resources: Resources, calendly: Calendly) -> RefreshCache:
    return RefreshCache(
        storage=resources.storage,
        fetch=FetchAvailability(
            session=calendly.session,
            calendly=CalendlyAvailabilityGateway(calendly.api),
            clock=resources.clock,
        ),
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        policy=_cache_policy(resources),
        owner=resources.owner,
    )


def sync_due_availability(
    resources: Resources, calendly: Calendly, sync: RefreshCache
) -> SyncDueAvailability:
    return SyncDueAvailability(
        storage=resources.storage,
        refresh_cache=sync,
        circuit_breakers=calendly.circuit_breakers,
        clock=resources.clock,
        telemetry=resources.telemetry,
        concurrency=resources.settings.concurrency,
    )


def read_through_cache(
    resources: Resources, calendly: Calendly, sync: RefreshCache, usage: UsageTracker
) -> ReadThroughCache:
    """Return the reading side of the cache; all readers of a process share its fetches."""
    single_flight = SingleFlight(
        refresh_cache=sync,
        circuit_breakers=calendly.circuit_breakers,
        background=resources.background,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
    )
    return ReadThroughCache(
        storage=resources.read_storage,
        single_flight=single_flight,
        usage=usage,
        clock=resources.clock,
        telemetry=resources.telemetry,
        policy=_cache_policy(resources),
    )


def _cache_policy(resources: Resources) -> CachePolicy:
    settings = resources.settings
    return CachePolicy(
        soft_ttl=settings.cache_soft_ttl,
        lists_soft_ttl=settings.cache_lists_soft_ttl,
        stale_while_revalidate=settings.cache_stale_while_revalidate,
        ttl=settings.cache_ttl,
        jitter=settings.cache_jitter / 100,
        keep_warm=settings.cache_keep_warm,
    )
