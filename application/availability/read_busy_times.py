"""Read from the cache when a host is not free."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, busy_times
from application.availability.range_query import (
    CLOCK_SKEW,
    RangeQuery,
    checked_span,
    known_pieces,
)
from application.availability.read_through_cache import ReadThroughCache
from application.availability.windows import RangePiece, TimeRange
from application.ports.clock import Clock
from application.ports.storage.availability_cache import CacheKind
from domain.availability import BUSY_WINDOW, SLOT_WINDOW, BusyTime
from domain.ids import UserId

LONGEST = SLOT_WINDOW


class BusyTimesView(msgspec.Struct, frozen=True):
    """Busy times that touch the range, in order of their start, with their age.

    Args:
        covered_until: how far the cache knows (UTC); beyond it no busy time is not a statement.

    """

    items: tuple[BusyTime, ...]
    start: datetime
    end: datetime
    covered_until: datetime
    age: CacheAge
    version: int
    origin: Origin


class ReadBusyTimes:
    """Answers from the cache."""

    def __init__(self, *, cache: ReadThroughCache, clock: Clock, horizon: timedelta) -> None:
        self._cache = cache
        self._clock = clock
        self._horizon = horizon

    async def __call__(
        self, user_id: UserId, start: datetime, end: datetime, *, max_age: timedelta | None = None
    ) -> BusyTimesView:
        """Return the busy times of a range, no older than `max_age` if Calendly can be asked.

        Args:
            user_id: whose.
            start: from when (aware); not in the past.
            end: until when, at most 31 days after `start` and within the horizon.
            max_age: how old the answer may be at most.

        Raises:
            InvalidRange, and what ReadThroughCache raises.

        """
        span = checked_span(start, end, self._clock.now(), LONGEST, self._horizon)
        time_range = TimeRange(CacheKind.BUSY, "", span, BUSY_WINDOW)
        found = await self._cache.read(user_id, RangeQuery(time_range), max_age=max_age)
        range_pieces = known_pieces(found, time_range)
        seen = {each for piece in range_pieces for each in _touching(piece)}
        return BusyTimesView(
            items=tuple(sorted(seen, key=lambda each: (each.start, each.end, each.kind))),
            start=span.start,
            end=span.end,
            covered_until=range_pieces[-1].known_until,
            age=found.age,
            version=found.version,
            origin=found.origin(until=span.start + CLOCK_SKEW),
        )


def _touching(piece: RangePiece) -> Iterator[BusyTime]:
    window = piece.window
    for each in busy_times(piece.part):
        if each.start < window.end and window.start < each.end:
            yield each
