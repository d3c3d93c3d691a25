"""Read a user's event types from the cache."""

from datetime import timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, event_types
from application.availability.read_through_cache import ReadThroughCache
from application.availability.single_entry_query import SingleEntryQuery
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.availability import EventType
from domain.ids import UserId


class EventTypesView(msgspec.Struct, frozen=True):
    """Event types with their age; deleted ones are left out, inactive ones say so."""

    items: tuple[EventType, ...]
    age: CacheAge
    version: int
    origin: Origin


class ReadEventTypes:
    """Answers from the cache."""

    def __init__(self, *, cache: ReadThroughCache) -> None:
        self._cache = cache

    async def __call__(
        self, user_id: UserId, *, max_age: timedelta | None = None
    ) -> EventTypesView:
        """Return the event types, no older than `max_age` if Calendly can be asked.

        Raises what ReadThroughCache raises.
        """
        found = await self._cache.read(
            user_id, SingleEntryQuery(CacheKey(CacheKind.EVENT_TYPES)), max_age=max_age
        )
        live = tuple(each for each in event_types(found.parts[0]) if each.deleted_at is None)
        return EventTypesView(live, found.age, found.version, found.origin())
