"""The windows of time in which slots and busy times are fetched and cached.

A *near* window rolls: it begins now and is cached under its base key. Later times are cached in
*far* windows of a fixed grid, so that all requests for one far day use the same window. The key of
a far window is the base key and the window's number, counted from the Unix epoch.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.availability import Window

# Calendly rejects a span that starts now: it is in the past on arrival.
HEAD_START = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR_MARK = "#"


class FarWindow(NamedTuple):
    """One window of the grid with its cache key."""

    key: str
    window: Window


def near_window(now: datetime, length: timedelta) -> Window:
    """Return the rolling window as a fetch at this time (UTC) requests it."""
    start = now + HEAD_START
    return Window(start=start, end=start + length)


def far_windows(base: str, span: Window, length: timedelta) -> list[FarWindow]:
    """Return the whole far windows that overlap the span, in order of time."""
    first = (span.start - EPOCH) // length
    past = -((EPOCH - span.end) // length)
    return [_far_window(base, number, length) for number in range(first, past)]


def base_of(key: str) -> str:
    """Return the key of the near window that a key belongs to."""
    return key.partition(FAR_MARK)[0]


def is_far(key: str) -> bool:
    """Whether a key names a far window."""
    return FAR_MARK in key


def far_window_of(key: str, length: timedelta) -> Window:
    """Return the whole far window of a key that `far_windows` made."""
    base, _, number = key.partition(FAR_MARK)
    return _far_window(base, int(number), length).window


def future_part(window: Window, now: datetime) -> Window | None:
    """Return the part of a window that Calendly still accepts, or None when it is over."""
    start = max(window.start, now + HEAD_START)
    return Window(start=start, end=window.end) if start < window.end else None


def _far_window(base: str, number: int, length: timedelta) -> FarWindow:
    start = EPOCH + number * length
    return FarWindow(f"{base}{FAR_MARK}{number}", Window(start=start, end=start + length))
