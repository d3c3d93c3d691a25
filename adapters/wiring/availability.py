"""The cache: reading and filling it."""

from adapters.calendly.availability import CalendlyAvailabilityGateway
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.fetch_availability import FetchAvailability
from application.read_availability import ReadAvailability
from application.read_event_types import ReadEventTypes
from application.sync_availability import SyncAvailability
from application.warm_cache import WarmCache
from domain.cache_policy import CachePolicy


def sync_availability(made: Resources, calendly: Calendly) -> SyncAvailability:
    """Wire the use case."""
    return SyncAvailability(
        storage=made.storage,
        fetch=FetchAvailability(
            session=calendly.session,
            calendly=CalendlyAvailabilityGateway(calendly.api),
            clock=made.clock,
        ),
        clock=made.clock,
        entropy=made.entropy,
        signals=made.signals,
        policy=_cache_policy(made),
        owner=made.owner,
    )


def read_event_types(made: Resources, sync: SyncAvailability) -> ReadEventTypes:
    """Wire the use case."""
    return ReadEventTypes(cache=_warm_cache(made, sync), clock=made.clock)


def read_availability(
    made: Resources, sync: SyncAvailability, events: ReadEventTypes
) -> ReadAvailability:
    """Wire the use case."""
    return ReadAvailability(
        storage=made.storage,
        cache=_warm_cache(made, sync),
        event_types=events,
        clock=made.clock,
    )


def _warm_cache(made: Resources, sync: SyncAvailability) -> WarmCache:
    return WarmCache(
        storage=made.storage,
        sync=sync,
        background=made.background,
        clock=made.clock,
        signals=made.signals,
        policy=_cache_policy(made),
    )


def _cache_policy(made: Resources) -> CachePolicy:
    return CachePolicy(soft_ttl=made.settings.cache_soft_ttl, ttl=made.settings.cache_ttl)
