"""The whole near window of an event type's slots, which serves other ranges.

The rule not to break: a range from here equals a read of that range in the same snapshot. If a
read might reject a range, or use other entries, the result is None.
"""

from datetime import datetime, timedelta

import msgspec

from application.availability.cache_query import CacheResult
from application.availability.range_query import CLOCK_SKEW, RangePiece, checked_span
from domain.availability import SLOT_WINDOW, Slot, Window, open_slots
from domain.cache_policy import Freshness
from domain.errors import InvalidRange
from domain.windows import is_far, near_window


class SlotWindow(msgspec.Struct, frozen=True):
    """The slots of the near window, and the times that are occupied.

    Args:
        span: the span in which a range may begin (UTC).
        slots: all slots of the window, in the order of the cache entry.
        occupied: booked times, including all that collide with a slot of the span.
        duration: of a slot.
        horizon: the maximal distance of a range's end from now.
        valid_until: when the passing of time alone changes the slots (UTC).

    """

    span: Window
    slots: tuple[Slot, ...]
    occupied: tuple[Window, ...]
    duration: timedelta
    horizon: timedelta
    valid_until: datetime

    def open_slots(self) -> list[Slot]:
        """Return the slots that are open."""
        return open_slots(self.slots, self.span, self.occupied, self.duration)

    def valid_range(self, start: datetime, end: datetime, now: datetime) -> Window | None:
        """Return a range, all of whose slots are in this window.

        Args:
            start: the start of the range (aware).
            end: its end.
            now: the time of the request (UTC).

        Returns:
            None when a read would reject the range, or require more than this window.

        """
        try:
            wanted = checked_span(start, end, now, SLOT_WINDOW, self.horizon)
        except InvalidRange:
            return None
        span = self.span
        if not span.start <= wanted.start < span.end:
            return None
        if wanted.end > span.end and wanted.end > near_window(now, SLOT_WINDOW).end:
            return None
        return wanted


def readable_span(now: datetime) -> Window:
    """Return the span from the earliest start that a read accepts now to its near window's end."""
    return Window(start=now - CLOCK_SKEW, end=near_window(now, SLOT_WINDOW).end)


def slot_window_of(
    result: CacheResult,
    range_pieces: list[RangePiece],
    *,
    slots: tuple[Slot, ...],
    occupied: tuple[Window, ...],
    duration: timedelta,
    horizon: timedelta,
) -> SlotWindow | None:
    """Return the window that a range with a single piece comes from.

    Args:
        result: the snapshot; it includes the bookings in `readable_span`.
        range_pieces: the pieces of the range.
        slots: the slots of the first piece's entry.
        occupied: the booked times that count.
        duration: of a slot.
        horizon: the maximal distance of a range's end from now.

    Returns:
        None for several pieces, for a far window, and if not every entry is fresh.

    """
    if len(result.required.sources) != 1 or len(range_pieces) != 1:
        return None
    piece = range_pieces[0]
    if is_far(piece.entry.key):
        return None
    readable, origin, age = readable_span(result.now), result.origin(), result.age
    fresh = age.freshness is Freshness.FRESH and age.error_code is None
    # If a faster clock fetched the window, it reaches further, and the snapshot may lack bookings.
    if not fresh or origin.valid_until <= result.now or piece.known_until > readable.end:
        return None
    return SlotWindow(
        span=Window(start=readable.start, end=piece.known_until),
        slots=slots,
        occupied=occupied,
        duration=duration,
        horizon=horizon,
        valid_until=origin.valid_until,
    )
