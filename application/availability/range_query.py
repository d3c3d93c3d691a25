"""Reading a range of one windowed part, and which ranges may be read at all."""

from datetime import datetime, timedelta

from application.availability.cache_query import CacheResult, FirstKeys, RequiredKeys
from application.availability.windows import (
    Parts,
    RangePiece,
    TimeRange,
    needed,
    split,
    worth_looking_up,
)
from domain.availability import Window, window
from domain.errors import AvailabilityPending, InvalidRange

CLOCK_SKEW = timedelta(minutes=1)
ASK_AGAIN = 60.0  # seconds


class RangeQuery:
    """Implements Question: what the range is cut from."""

    def __init__(self, time_range: TimeRange) -> None:
        self._stretch = time_range

    def lookup(self, now: datetime) -> FirstKeys:
        """Return the windows that may be needed."""
        return FirstKeys(worth_looking_up(self._stretch, now))

    def needs(self, parts: Parts, now: datetime) -> RequiredKeys:
        """Return the windows that are needed."""
        return RequiredKeys(needed(parts, self._stretch, now))


def known_pieces(found: CacheResult, time_range: TimeRange) -> list[RangePiece]:
    """Return the pieces that a range is cut into, at least one.

    Raises AvailabilityPending when all that is known ends before the range begins.
    """
    range_pieces = split(found.snapshot.parts, time_range, found.now)
    if not range_pieces:
        raise AvailabilityPending(
            "What is known of this user ends before the range; ask again in a while.",
            retry_after=ASK_AGAIN,
        )
    return range_pieces


def checked_span(
    start: datetime, end: datetime, now: datetime, longest: timedelta, horizon: timedelta
) -> Window:
    """Return a range that may be read.

    Args:
        start: its first moment, a minute in the past at most, for clocks that differ.
        end: its end.
        now: when (UTC).
        longest: how long it may be.
        horizon: how far ahead it may reach.

    Raises:
        InvalidRange: it is naive, empty, reversed, too long, in the past or too far ahead.

    """
    span = window(start, end, longest=longest)
    if span.start < now - CLOCK_SKEW:
        raise InvalidRange("start lies in the past.")
    if span.end > now + horizon:
        raise InvalidRange(f"end may lie at most {horizon.days} days ahead.")
    return span
