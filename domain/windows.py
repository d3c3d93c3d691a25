"""The windows of time in which slots and busy times are fetched and kept.

A *near* window rolls: it begins now and is kept under its base key. What lies beyond it is kept
in cells of a fixed grid, so that whoever asks for a far day asks for the same cell: its key is
the base and the cell's number, counted from the Unix epoch in cells of one length.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.availability import Window

# Calendly refuses a span that starts now: it is in the past on arrival.
HEAD_START = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CELL_MARK = "#"


class Cell(NamedTuple):
    """One cell of the grid with the key that it is kept under."""

    key: str
    window: Window


def near_window(now: datetime, length: timedelta) -> Window:
    """Return the rolling window as it is fetched now (UTC)."""
    start = now + HEAD_START
    return Window(start=start, end=start + length)


def cells(base: str, span: Window, length: timedelta) -> list[Cell]:
    """Return the whole cells that share any time with the span, in order."""
    first = (span.start - EPOCH) // length
    past = -((EPOCH - span.end) // length)
    return [_cell(base, number, length) for number in range(first, past)]


def base_of(key: str) -> str:
    """Return the key of the near window that a key belongs to."""
    return key.partition(CELL_MARK)[0]


def is_far(key: str) -> bool:
    """Whether a key names a cell of the grid."""
    return CELL_MARK in key


def cell_window(key: str, length: timedelta) -> Window:
    """Return the whole cell that a key made by `cells` names."""
    base, _, number = key.partition(CELL_MARK)
    return _cell(base, int(number), length).window


def still_ahead(window: Window, now: datetime) -> Window | None:
    """Return what Calendly can still be asked of a window, or None when it is over."""
    start = max(window.start, now + HEAD_START)
    return Window(start=start, end=window.end) if start < window.end else None


def _cell(base: str, number: int, length: timedelta) -> Cell:
    start = EPOCH + number * length
    return Cell(f"{base}{CELL_MARK}{number}", Window(start=start, end=start + length))
