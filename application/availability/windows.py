"""Which cached windows answer for a range of time, and the piece of the range that each gives.

The near window goes as far as it reaches; cells of the grid take over from there. What it has
lost at its end by growing older needs no cell: its next renewal brings that.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from domain.availability import Window
from domain.windows import cells, near_window

Parts = Mapping[CacheKey, CacheEntry]


class TimeRange(NamedTuple):
    """A range that is wanted of one windowed part.

    Args:
        part: of which kind.
        base: the key of its near window.
        span: the range (UTC).
        length: of the windows that it is kept in.

    """

    part: CacheKind
    base: str
    span: Window
    length: timedelta

    @property
    def near(self) -> CacheKey:
        """The key of the near window."""
        return CacheKey(self.part, self.base)


class RangePiece(NamedTuple):
    """What one part says of a range: of this much of it, though it knows until then (UTC)."""

    part: CacheEntry
    window: Window
    known_until: datetime


def worth_looking_up(time_range: TimeRange, now: datetime) -> tuple[CacheKey, ...]:
    """Return the parts that may be needed, before any was seen."""
    reach = near_window(now, time_range.length).end
    near = (time_range.near,) if time_range.span.start < reach else ()
    return (
        near
        if time_range.span.end <= reach
        else (*near, *_cells(time_range, time_range.span.start))
    )


def needed(parts: Parts, time_range: TimeRange, now: datetime) -> tuple[CacheKey, ...]:
    """Return the parts that answer for a range, in order of time.

    Args:
        parts: what is stored of them.
        time_range: the range.
        now: when (UTC).

    """
    reach = near_window(now, time_range.length).end
    ends = _near_end(parts, time_range, now)
    if time_range.span.start >= ends:
        return _cells(time_range, time_range.span.start)
    if time_range.span.end <= max(reach, ends):
        return (time_range.near,)
    return (time_range.near, *_cells(time_range, ends))


def split(parts: Parts, time_range: TimeRange, now: datetime) -> list[RangePiece]:
    """Return the pieces of a range, in order of time, up to the first that is not known."""
    range_pieces: list[RangePiece] = []
    start, end = time_range.span.start, time_range.span.end
    for at in needed(parts, time_range, now):
        part = parts.get(at)
        if part is None or not part.known or part.covers is None:
            break
        until = part.covers.end
        if until <= start:
            break
        range_pieces.append(RangePiece(part, Window(start=start, end=min(end, until)), until))
        start = until
    return range_pieces


def _near_end(parts: Parts, time_range: TimeRange, now: datetime) -> datetime:
    near = parts.get(time_range.near)
    if near is None or not near.known or near.covers is None or near.covers.end <= now:
        return near_window(now, time_range.length).end
    return near.covers.end


def _cells(time_range: TimeRange, start: datetime) -> tuple[CacheKey, ...]:
    beyond = Window(start=start, end=time_range.span.end)
    found = cells(time_range.base, beyond, time_range.length)
    return tuple(CacheKey(time_range.part, cell.key) for cell in found)
