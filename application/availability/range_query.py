"""Reads of a time range: the cached windows that cover it, and the piece that each contributes.

The near window is used as far as it reaches; far windows cover the rest. The end that the near
window has lost by growing older needs no far window: the next refresh covers it.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from application.availability.cache_query import CacheResult, Entries, FirstKeys, RequiredKeys
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from domain.availability import Window, window
from domain.errors import AvailabilityPending, InvalidRange
from domain.windows import far_windows, near_window

CLOCK_SKEW = timedelta(minutes=1)
RETRY_SECONDS = 60.0


class TimeRange(NamedTuple):
    """A requested range of one windowed list.

    Args:
        kind: the kind of its entries.
        base: the key of its near window.
        span: the range (UTC).
        length: of the windows that it is cached in.

    """

    kind: CacheKind
    base: str
    span: Window
    length: timedelta

    @property
    def near(self) -> CacheKey:
        """The key of the near window."""
        return CacheKey(self.kind, self.base)


class RangePiece(NamedTuple):
    """The piece of a range that one entry covers; the entry itself is known until later (UTC)."""

    entry: CacheEntry
    window: Window
    known_until: datetime


class RangeQuery:
    """Implements CacheQuery: the windows that cover a range."""

    def __init__(self, time_range: TimeRange) -> None:
        self._time_range = time_range

    def first_keys(self, now: datetime) -> FirstKeys:
        return FirstKeys(possible_keys(self._time_range, now))

    def required_keys(self, entries: Entries, now: datetime) -> RequiredKeys:
        return RequiredKeys(covering_keys(entries, self._time_range, now))


def possible_keys(time_range: TimeRange, now: datetime) -> tuple[CacheKey, ...]:
    """Return the keys that may be required, before any entry is known."""
    reach = near_window(now, time_range.length).end
    near = (time_range.near,) if time_range.span.start < reach else ()
    if time_range.span.end <= reach:
        return near
    return (*near, *_far_keys(time_range, time_range.span.start))


def covering_keys(entries: Entries, time_range: TimeRange, now: datetime) -> tuple[CacheKey, ...]:
    """Return the keys of the windows that cover a range, in order of time.

    Args:
        entries: the stored ones.
        time_range: the range.
        now: the time (UTC).

    """
    reach = near_window(now, time_range.length).end
    near_end = _near_end(entries, time_range, now)
    if time_range.span.start >= near_end:
        return _far_keys(time_range, time_range.span.start)
    if time_range.span.end <= max(reach, near_end):
        return (time_range.near,)
    return (time_range.near, *_far_keys(time_range, near_end))


def split(entries: Entries, time_range: TimeRange, now: datetime) -> list[RangePiece]:
    """Return the pieces of a range, in order of time, up to the first window without content."""
    range_pieces: list[RangePiece] = []
    start, end = time_range.span.start, time_range.span.end
    for key in covering_keys(entries, time_range, now):
        entry = entries.get(key)
        if entry is None or not entry.has_content or entry.covers is None:
            break
        until = entry.covers.end
        if until <= start:
            break
        range_pieces.append(RangePiece(entry, Window(start=start, end=min(end, until)), until))
        start = until
    return range_pieces


def known_range_pieces(result: CacheResult, time_range: TimeRange) -> list[RangePiece]:
    """Return the pieces of a range, at least one.

    Raises:
        AvailabilityPending: the cache ends before the range begins.

    """
    range_pieces = split(result.snapshot.entries, time_range, result.now)
    if not range_pieces:
        raise AvailabilityPending(
            "Availability for this range is not cached yet; retry after 60 seconds.",
            retry_after=RETRY_SECONDS,
        )
    return range_pieces


def checked_span(
    start: datetime, end: datetime, now: datetime, longest: timedelta, horizon: timedelta
) -> Window:
    """Return a range that may be read.

    Args:
        start: its start, at most CLOCK_SKEW in the past, because clocks differ.
        end: its end.
        now: the time (UTC).
        longest: its maximal length.
        horizon: the maximal distance of its end from now.

    Raises:
        InvalidRange: it is naive, empty, reversed, too long, in the past or too far ahead.

    """
    span = window(start, end, longest=longest)
    if span.start < now - CLOCK_SKEW:
        raise InvalidRange("start lies in the past.")
    if span.end > now + horizon:
        raise InvalidRange(f"end may lie at most {horizon.days} days ahead.")
    return span


def _near_end(entries: Entries, time_range: TimeRange, now: datetime) -> datetime:
    near = entries.get(time_range.near)
    if near is None or not near.has_content or near.covers is None or near.covers.end <= now:
        return near_window(now, time_range.length).end
    return near.covers.end


def _far_keys(time_range: TimeRange, start: datetime) -> tuple[CacheKey, ...]:
    rest = Window(start=start, end=time_range.span.end)
    found = far_windows(time_range.base, rest, time_range.length)
    return tuple(CacheKey(time_range.kind, each.key) for each in found)
