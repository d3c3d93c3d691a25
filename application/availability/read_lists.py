"""Read a user's event types from the cache."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, event_types, schedules
from application.availability.cache_query import FirstKeys, RequiredKeys
from application.availability.read_through_cache import ReadThroughCache
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from domain.availability import EventType, Schedule
from domain.ids import UserId


class SingleEntryQuery:
    """Implements Question."""

    def __init__(self, at: CacheKey) -> None:
        self._keys = (at,)

    def lookup(self, now: datetime) -> FirstKeys:  # noqa: ARG002 - a part without time
        """Return the part."""
        return FirstKeys(self._keys)

    def needs(self, parts: Mapping[CacheKey, CacheEntry], now: datetime) -> RequiredKeys:  # noqa: ARG002
        """Return the part."""
        return RequiredKeys(self._keys)


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


class SchedulesView(msgspec.Struct, frozen=True):
    """Schedules with their age."""

    items: tuple[Schedule, ...]
    age: CacheAge
    version: int
    origin: Origin


class ReadSchedules:
    """Answers from the cache."""

    def __init__(self, *, cache: ReadThroughCache) -> None:
        self._cache = cache

    async def __call__(
        self, user_id: UserId, *, max_age: timedelta | None = None
    ) -> SchedulesView:
        """Return the schedules, no older than `max_age` if Calendly can be asked.

        Raises what ReadThroughCache raises.
        """
        found = await self._cache.read(
            user_id, SingleEntryQuery(CacheKey(CacheKind.SCHEDULES)), max_age=max_age
        )
        return SchedulesView(schedules(found.parts[0]), found.age, found.version, found.origin())
