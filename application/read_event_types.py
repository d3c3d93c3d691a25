"""Read a user's event types from the cache."""

import msgspec

from application.cached_values import CacheAge, age_of, event_types
from application.ports.availability_cache import Part
from application.ports.clock import Clock
from application.warm_cache import WarmCache
from domain.availability import EventType
from domain.errors import AvailabilityPending
from domain.ids import UserId


class EventTypesView(msgspec.Struct, frozen=True):
    """Event types with their age; deleted ones are left out, inactive ones say so."""

    items: tuple[EventType, ...]
    age: CacheAge


class ReadEventTypes:
    """Answers from the cache."""

    def __init__(self, *, cache: WarmCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    async def __call__(self, user_id: UserId) -> EventTypesView:
        """Return the event types. Raises what WarmCache raises."""
        part = await self._cache.part(user_id, Part.EVENT_TYPES)
        if part is None:
            raise AvailabilityPending(
                "This user's event types are not fetched yet; ask again shortly.", retry_after=5
            )
        live = tuple(each for each in event_types(part) if each.deleted_at is None)
        return EventTypesView(live, age_of(part, self._clock.now(), self._cache.policy))
