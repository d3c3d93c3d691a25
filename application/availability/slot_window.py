"""The whole near window of an event type's slots, from which other ranges can be answered.

The rule not to break: a range that is cut from here is what a read of just that range would have
found in the same look at the store; whatever a read might refuse or look up elsewhere is None.
"""

from datetime import datetime, timedelta

import msgspec

from application.availability.cache_query import CacheResult
from application.availability.range_query import CLOCK_SKEW, checked_span
from application.availability.windows import RangePiece
from domain.availability import SLOT_WINDOW, Slot, Window, open_slots
from domain.cache_policy import Freshness
from domain.errors import InvalidRange
from domain.windows import is_far, near_window


class SlotWindow(msgspec.Struct, frozen=True):
    """Slots as the near window holds them, and what is known to occupy them.

    Args:
        known: the span that ranges may begin in (UTC).
        listed: all slots of the window, in the order in which they are stored.
        taken: booked times, all that collide with a slot of the span.
        duration: of a slot.
        horizon: how far ahead slots may be asked for.
        valid_until: when the mere passing of time makes it another answer (UTC).

    """

    known: Window
    listed: tuple[Slot, ...]
    taken: tuple[Window, ...]
    duration: timedelta
    horizon: timedelta
    valid_until: datetime

    def open(self) -> list[Slot]:
        """Return the slots that are open."""
        return open_slots(self.listed, self.known, self.taken, self.duration)

    def cut(self, start: datetime, end: datetime, now: datetime) -> Window | None:
        """Return a range whose slots are all those of this window that start within it.

        Args:
            start: from when (aware).
            end: until when.
            now: when it is asked for (UTC).

        Returns:
            None when a read would refuse the range, or need more than this window.

        """
        try:
            span = checked_span(start, end, now, SLOT_WINDOW, self.horizon)
        except InvalidRange:
            return None
        known = self.known
        if not known.start <= span.start < known.end:
            return None
        if span.end > known.end and span.end > near_window(now, SLOT_WINDOW).end:
            return None
        return span


def known_ahead(now: datetime) -> Window:
    """Return the span of which a reader may ask now at the earliest, up to its window's end."""
    return Window(start=now - CLOCK_SKEW, end=near_window(now, SLOT_WINDOW).end)


def open_window(
    found: CacheResult,
    range_pieces: list[RangePiece],
    *,
    listed: tuple[Slot, ...],
    taken: tuple[Window, ...],
    duration: timedelta,
    horizon: timedelta,
) -> SlotWindow | None:
    """Return the window that the only piece of a range was cut from.

    Args:
        found: what was looked up, the times of bookings in `known_ahead` and longer included.
        range_pieces: of the range.
        listed: the slots of the first piece's part.
        taken: the booked times that count.
        duration: of a slot.
        horizon: how far ahead slots may be asked for.

    Returns:
        None for several pieces, for a far window, and for what is not fresh as a whole.

    """
    ahead, origin = known_ahead(found.now), found.origin()
    if len(found.needs.parts) != 1 or len(range_pieces) != 1 or is_far(range_pieces[0].part.key):
        return None
    fresh = found.age.freshness is Freshness.FRESH and found.age.error_code is None
    # Of a window that reaches further, fetched by a faster clock, some bookings were not seen.
    if not fresh or origin.valid_until <= found.now or range_pieces[0].known_until > ahead.end:
        return None
    return SlotWindow(
        known=Window(start=ahead.start, end=range_pieces[0].known_until),
        listed=listed,
        taken=taken,
        duration=duration,
        horizon=horizon,
        valid_until=origin.valid_until,
    )
