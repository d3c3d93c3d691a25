"""Read a user's availability schedules from the cache."""

from datetime import timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, schedules
from application.availability.read_through_cache import ReadThroughCache
from application.availability.single_entry_query import SingleEntryQuery
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.availability import Schedule
from domain.ids import UserId


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
