"""When a failed delivery is tried again.

Calendly documents exponential back-off for 24 hours and no more; the intervals are ours.
"""

from datetime import datetime, timedelta

_FIRST = timedelta(seconds=10)
_LONGEST = timedelta(hours=2)
GIVE_UP_AFTER = timedelta(hours=24)


def next_attempt(first_at: datetime, now: datetime, failures: int) -> datetime | None:
    """The next due time after `failures` (>= 1) failed attempts; None after 24 hours.

    The last attempt is made at the 24-hour mark itself.
    """
    end = first_at + GIVE_UP_AFTER
    if now >= end:
        return None
    delay: timedelta = min(_FIRST * (1 << min(failures - 1, 16)), _LONGEST)
    return min(now + delay, end)
