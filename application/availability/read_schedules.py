"""Read a user's availability schedules from the cache."""

from datetime import timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, schedules
from application.availability.read_through_cache import WarmCache
from application.availability.whole_part import WholePart
from application.ports.storage.availability_cache import Part, PartKey
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

    def __init__(self, *, cache: WarmCache) -> None:
        self._cache = cache

    async def __call__(
        self, user_id: UserId, *, max_age: timedelta | None = None
    ) -> SchedulesView:
        """Return the schedules, no older than `max_age` if Calendly can be asked.

        Raises what WarmCache raises.
        """
        found = await self._cache.read(
            user_id, WholePart(PartKey(Part.SCHEDULES)), max_age=max_age
        )
        return SchedulesView(schedules(found.parts[0]), found.age, found.version, found.origin())
