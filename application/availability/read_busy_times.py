"""Read a host's busy times from the cache."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, busy_times
from application.availability.range_query import (
    CLOCK_SKEW,
    RangePiece,
    RangeQuery,
    TimeRange,
    checked_span,
    known_range_pieces,
)
from application.availability.read_through_cache import ReadThroughCache
from application.ports.clock import Clock
from application.ports.storage.availability_cache import CacheKind
from domain.availability import BUSY_WINDOW, SLOT_WINDOW, BusyTime
from domain.ids import UserId

LONGEST = SLOT_WINDOW


class BusyTimesView(msgspec.Struct, frozen=True):
    """Busy times that overlap the range, in order of their start, with their age.

    Args:
        covered_until: the end of the cached time (UTC); later busy times are not known.

    """

    items: tuple[BusyTime, ...]
    start: datetime
    end: datetime
    covered_until: datetime
    age: CacheAge
    version: int
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class ReadBusyTimes:
    cache: ReadThroughCache
    clock: Clock
    horizon: timedelta

    async def __call__(
        self, user_id: UserId, start: datetime, end: datetime, *, max_age: timedelta | None = None
    ) -> BusyTimesView:
        """Return the busy times of a range, no older than `max_age` if Calendly is available.

        Args:
            user_id: the user.
            start: the start of the range (aware); not in the past.
            end: its end, at most 31 days after `start` and within the horizon.
            max_age: the maximal age of the response.

        Raises:
            InvalidRange, and what ReadThroughCache raises.

        """
        span = checked_span(start, end, self.clock.now(), LONGEST, self.horizon)
        time_range = TimeRange(CacheKind.BUSY, "", span, BUSY_WINDOW)
        result = await self.cache.read(user_id, RangeQuery(time_range), max_age=max_age)
        range_pieces = known_range_pieces(result, time_range)
        items = {each for piece in range_pieces for each in _overlapping(piece)}
        return BusyTimesView(
            items=tuple(sorted(items, key=lambda each: (each.start, each.end, each.kind))),
            start=span.start,
            end=span.end,
            covered_until=range_pieces[-1].known_until,
            age=result.age,
            version=result.version,
            origin=result.origin(until=span.start + CLOCK_SKEW),
        )


def _overlapping(piece: RangePiece) -> Iterator[BusyTime]:
    window = piece.window
    for each in busy_times(piece.entry):
        if each.start < window.end and window.start < each.end:
            yield each
