"""The start times that a reconciliation of bookings reads.

Calendly cannot list changes since a time, so a window of start times is read (Calendly: List
Events). A run that closes a gap must read every booking that could have changed in the gap.
"""

from datetime import datetime, timedelta

import msgspec

from domain.availability import Window
from domain.integration import Gap


class Reach(msgspec.Struct, frozen=True):
    """How far a run reads before and after now."""

    before: timedelta
    after: timedelta


class Reaches(msgspec.Struct, frozen=True):
    """The usual window, and the wide one after connecting and after a gap in the deliveries."""

    usual: Reach
    wide: Reach


def window(now: datetime, reaches: Reaches, gap: Gap | None, *, wide: bool) -> Window:
    """Return the start times to read.

    Args:
        now: the time of the run (UTC).
        reaches: the usual and the wide window.
        gap: when deliveries were lost. A booking made in it starts after the gap began. A booking
            marked or canceled in it may have started earlier, as far as a usual run reads back.
        wide: whether to use the wide window.

    """
    usual, far = reaches.usual, reaches.wide
    start, end = now - usual.before, now + usual.after
    if wide:
        start, end = min(start, now - far.before), max(end, now + far.after)
    if gap is not None:
        start, end = min(start, gap.since - usual.before), max(end, now + far.after)
    return Window(start=start, end=end)
