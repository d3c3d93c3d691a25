"""Reading a range of one windowed part, and which ranges may be read at all."""

from datetime import datetime, timedelta

from application.availability.cache_query import Found
from application.availability.question import Lookup, Needs
from application.availability.windows import Parts, Piece, Stretch, cut, needed, worth_looking_up
from domain.availability import Window, window
from domain.errors import AvailabilityPending, InvalidRange

CLOCK_SKEW = timedelta(minutes=1)
ASK_AGAIN = 60.0  # seconds


class StretchRead:
    """Implements Question: what the range is cut from."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch

    def lookup(self, now: datetime) -> Lookup:
        """Return the windows that may be needed."""
        return Lookup(worth_looking_up(self._stretch, now))

    def needs(self, parts: Parts, now: datetime) -> Needs:
        """Return the windows that are needed."""
        return Needs(needed(parts, self._stretch, now))


def known_pieces(found: Found, stretch: Stretch) -> list[Piece]:
    """Return the pieces that a range is cut into, at least one.

    Raises AvailabilityPending when all that is known ends before the range begins.
    """
    pieces = cut(found.shelf.parts, stretch, found.now)
    if not pieces:
        raise AvailabilityPending(
            "What is known of this user ends before the range; ask again in a while.",
            retry_after=ASK_AGAIN,
        )
    return pieces


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
