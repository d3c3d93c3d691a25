"""Read a user's event types and schedules from the cache."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, event_types, schedules
from application.availability.cache_query import Entries, FirstKeys, RequiredKeys
from application.availability.read_through_cache import ReadThroughCache
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.availability import EventType, Schedule
from domain.ids import UserId


class SingleEntryQuery:
    """Implements CacheQuery: one entry."""

    def __init__(self, key: CacheKey) -> None:
        self._keys = (key,)

    def first_keys(self, now: datetime) -> FirstKeys:  # noqa: ARG002 - an entry without a window
        return FirstKeys(self._keys)

    def required_keys(self, entries: Entries, now: datetime) -> RequiredKeys:  # noqa: ARG002
        return RequiredKeys(self._keys)


class EventTypesView(msgspec.Struct, frozen=True):
    """Event types with their age: active and inactive ones, without deleted ones."""

    items: tuple[EventType, ...]
    age: CacheAge
    version: int
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class ReadEventTypes:
    cache: ReadThroughCache

    async def __call__(
        self, user_id: UserId, *, max_age: timedelta | None = None
    ) -> EventTypesView:
        """Return the event types, no older than `max_age` if Calendly is available.

        Raises what ReadThroughCache raises.
        """
        result = await self.cache.read(
            user_id, SingleEntryQuery(CacheKey(CacheKind.EVENT_TYPES)), max_age=max_age
        )
        items = tuple(each for each in event_types(result.sources[0]) if each.deleted_at is None)
        return EventTypesView(items, result.age, result.version, result.origin())


class SchedulesView(msgspec.Struct, frozen=True):
    """Schedules with their age."""

    items: tuple[Schedule, ...]
    age: CacheAge
    version: int
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class ReadSchedules:
    cache: ReadThroughCache

    async def __call__(
        self, user_id: UserId, *, max_age: timedelta | None = None
    ) -> SchedulesView:
        """Return the schedules, no older than `max_age` if Calendly is available.

        Raises what ReadThroughCache raises.
        """
        result = await self.cache.read(
            user_id, SingleEntryQuery(CacheKey(CacheKind.SCHEDULES)), max_age=max_age
        )
        items = schedules(result.sources[0])
        return SchedulesView(items, result.age, result.version, result.origin())
