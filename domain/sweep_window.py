"""Which start times a comparison of bookings has to look at.

Calendly cannot say what changed since a moment, so windows of start time are swept (Calendly: List
Events). The rule not to break: a comparison that closes a gap has looked at every booking that
could have changed in it.
"""

from datetime import datetime, timedelta

import msgspec

from domain.availability import Window
from domain.integration import Gap


class Reach(msgspec.Struct, frozen=True):
    """How far a sweep looks to both sides of now."""

    before: timedelta
    after: timedelta


class Reaches(msgspec.Struct, frozen=True):
    """The usual sweep, and the wide one: after connecting, and after a gap in the deliveries."""

    usual: Reach
    wide: Reach


def window(now: datetime, reaches: Reaches, gap: Gap | None, *, wide: bool) -> Window:
    """Return the start times to look at.

    Args:
        now: the moment of the sweep (UTC).
        reaches: how far sweeps look.
        gap: what has to be made up for. What was booked in it starts after it began; what was
            marked or canceled in it may have started as long before as a usual sweep looks back.
        wide: whether to look as far as after connecting in any case.

    """
    usual, far = reaches.usual, reaches.wide
    start, end = now - usual.before, now + usual.after
    if wide:
        start, end = min(start, now - far.before), max(end, now + far.after)
    if gap is not None:
        start, end = min(start, gap.since - usual.before), max(end, now + far.after)
    return Window(start=start, end=end)
