from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.availability import Window
from domain.windows import (
    EPOCH,
    HEAD_START,
    FarWindow,
    base_of,
    far_window_of,
    far_windows,
    future_part,
    is_far,
    near_window,
)
from tests.domain.samples import NOW, seconds

MONTH = timedelta(days=31)
TYPE = "https://api.calendly.com/event_types/A"
moments = st.timedeltas(timedelta(0), timedelta(days=40_000)).map(lambda age: EPOCH + age)
spans = st.builds(
    lambda start, length: Window(start=start, end=start + length),
    moments,
    st.timedeltas(timedelta(microseconds=1), timedelta(days=400)),
)
lengths = st.sampled_from([timedelta(days=7), MONTH])


def test_the_near_window_begins_just_ahead() -> None:
    """The near window begins a minute ahead, as Calendly takes no start in the past."""
    assert near_window(NOW, MONTH) == Window(NOW + seconds(60), NOW + seconds(60) + MONTH)


@given(spans, lengths)
def test_cells_cover_a_span_exactly(span: Window, length: timedelta) -> None:
    """The cells of a span follow each other, cover it, and none of them lies outside it."""
    found = far_windows(TYPE, span, length)

    windows = [each.window for each in found]
    assert windows[0].start <= span.start < windows[0].end
    assert windows[-1].start < span.end <= windows[-1].end
    assert all(one.end == other.start for one, other in pairwise(windows))
    assert {each.end - each.start for each in windows} == {length}


@given(spans, lengths)
def test_cells_are_known_by_their_keys(span: Window, length: timedelta) -> None:
    """The key of a far window determines its base and its window."""
    for far in far_windows(TYPE, span, length):
        assert is_far(far.key)
        assert base_of(far.key) == TYPE
        assert far_window_of(far.key, length) == far.window
        assert far_windows(TYPE, far.window, length) == [far]


def test_the_grid_begins_with_the_epoch() -> None:
    """Cells are counted from the Unix epoch, under the base's key or without one."""
    first, second = far_windows("", Window(EPOCH + seconds(1), EPOCH + MONTH + seconds(1)), MONTH)

    assert first == FarWindow("#0", Window(EPOCH, EPOCH + MONTH))
    assert second.key == "#1"


def test_a_base_is_its_own_base() -> None:
    """The near window's key names no far."""
    for base in ("", TYPE):
        assert base_of(base) == base
        assert not is_far(base)


@given(moments, st.integers(-100, 100))
def test_only_what_is_ahead_can_be_asked_for(start: datetime, minutes: int) -> None:
    """Of a window that began the rest is asked for, of one that is over nothing."""
    window = Window(start=start, end=start + timedelta(hours=1))
    now = start + timedelta(minutes=minutes)

    ahead = future_part(window, now)

    if now + HEAD_START >= window.end:
        assert ahead is None
    else:
        assert ahead == Window(max(start, now + HEAD_START), window.end)
