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


def worth_looking_up(stretch: TimeRange, now: datetime) -> tuple[CacheKey, ...]:
    """Return the parts that may be needed, before any was seen."""
    reach = near_window(now, stretch.length).end
    near = (stretch.near,) if stretch.span.start < reach else ()
    return near if stretch.span.end <= reach else (*near, *_cells(stretch, stretch.span.start))


def needed(parts: Parts, stretch: TimeRange, now: datetime) -> tuple[CacheKey, ...]:
    """Return the parts that answer for a range, in order of time.

    Args:
        parts: what is stored of them.
        stretch: the range.
        now: when (UTC).

    """
    reach = near_window(now, stretch.length).end
    ends = _near_end(parts, stretch, now)
    if stretch.span.start >= ends:
        return _cells(stretch, stretch.span.start)
    if stretch.span.end <= max(reach, ends):
        return (stretch.near,)
    return (stretch.near, *_cells(stretch, ends))


def split(parts: Parts, stretch: TimeRange, now: datetime) -> list[RangePiece]:
    """Return the pieces of a range, in order of time, up to the first that is not known."""
    pieces: list[RangePiece] = []
    start, end = stretch.span.start, stretch.span.end
    for at in needed(parts, stretch, now):
        part = parts.get(at)
        if part is None or not part.known or part.covers is None:
            break
        until = part.covers.end
        if until <= start:
            break
        pieces.append(RangePiece(part, Window(start=start, end=min(end, until)), until))
        start = until
    return pieces


def _near_end(parts: Parts, stretch: TimeRange, now: datetime) -> datetime:
    near = parts.get(stretch.near)
    if near is None or not near.known or near.covers is None or near.covers.end <= now:
        return near_window(now, stretch.length).end
    return near.covers.end


def _cells(stretch: TimeRange, start: datetime) -> tuple[CacheKey, ...]:
    beyond = Window(start=start, end=stretch.span.end)
    found = cells(stretch.base, beyond, stretch.length)
    return tuple(CacheKey(stretch.part, cell.key) for cell in found)
