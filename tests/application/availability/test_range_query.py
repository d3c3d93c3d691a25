from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.availability.range_query import TimeRange, covering_keys, possible_keys, split
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from domain.availability import BUSY_WINDOW, SLOT_WINDOW, Window
from domain.windows import far_window_of, future_part, is_far, near_window
from tests.fakes.clock import NOON

LENGTHS = {CacheKind.SLOTS: SLOT_WINDOW, CacheKind.BUSY: BUSY_WINDOW}
MINUTES = timedelta(minutes=1)


def time_range(kind: CacheKind, begins: timedelta, lasts: timedelta) -> TimeRange:
    """Return a range that begins so long after noon."""
    start = NOON + begins
    return TimeRange(kind, "base", Window(start=start, end=start + lasts), LENGTHS[kind])


def stored(key: CacheKey, age: timedelta) -> CacheEntry:
    """Return a part as it was fetched so long before noon."""
    length, fetched_at = LENGTHS[key.kind], NOON - age
    covers: Window | None = near_window(fetched_at, length)
    if is_far(key.key):
        covers = future_part(far_window_of(key.key, length), fetched_at)
    return CacheEntry(*key, content=b"[]", fetched_at=fetched_at, covers=covers)


@given(
    kind=st.sampled_from(sorted(LENGTHS)),
    begins=st.timedeltas(timedelta(), timedelta(days=149)),
    lasts=st.timedeltas(MINUTES, timedelta(days=31)),
    age=st.timedeltas(timedelta(), timedelta(hours=30)),
)
def test_a_range_is_split_without_gap_or_overlap(
    kind: CacheKind, begins: timedelta, lasts: timedelta, age: timedelta
) -> None:
    """For any range, and windows of any age, the pieces cover it without a gap."""
    wanted = time_range(kind, begins, lasts)
    near = {wanted.near: stored(wanted.near, age)}
    keys = covering_keys(near, wanted, NOON)
    entries = near | {key: stored(key, age) for key in keys}

    range_pieces = split(entries, wanted, NOON)

    reach = near_window(NOON, LENGTHS[kind]).end
    assert range_pieces[0].window.start == wanted.span.start
    assert all(one.window.end == other.window.start for one, other in pairwise(range_pieces))
    assert all(piece.window.end <= piece.known_until for piece in range_pieces)
    until = range_pieces[-1].known_until
    assert until >= wanted.span.end or wanted.span.end <= reach
    assert range_pieces[-1].window.end == min(wanted.span.end, until)


@given(
    kind=st.sampled_from(sorted(LENGTHS)),
    begins=st.timedeltas(timedelta(), timedelta(days=149)),
    lasts=st.timedeltas(MINUTES, timedelta(days=31)),
)
def test_required_keys_of_an_empty_cache_are_looked_up_first(
    kind: CacheKind, begins: timedelta, lasts: timedelta
) -> None:
    """The entries that a range needs while nothing is stored are among those looked up first."""
    wanted = time_range(kind, begins, lasts)

    assert set(covering_keys({}, wanted, NOON)) <= set(possible_keys(wanted, NOON))


def test_a_usual_range_needs_the_near_window_alone() -> None:
    """The days that are always kept are cut from one part."""
    wanted = time_range(CacheKind.SLOTS, timedelta(), SLOT_WINDOW)

    assert possible_keys(wanted, NOON) == covering_keys({}, wanted, NOON) == (wanted.near,)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_window_ends_the_pieces(missing: int) -> None:
    """A range is cut up to the first window that never came."""
    wanted = time_range(CacheKind.BUSY, timedelta(days=1), timedelta(days=14))
    keys = covering_keys({}, wanted, NOON)
    entries = {key: stored(key, timedelta()) for key in keys}
    del entries[keys[missing]]

    range_pieces = split(entries, wanted, NOON)

    assert [piece.entry.cache_key for piece in range_pieces] == list(keys[:missing])


def test_a_past_near_window_gives_no_piece() -> None:
    """A near window that ended before now is to be renewed, and nothing is cut from it."""
    wanted = time_range(CacheKind.BUSY, timedelta(hours=1), timedelta(hours=2))
    entries = {wanted.near: stored(wanted.near, timedelta(days=8))}

    assert covering_keys(entries, wanted, NOON) == (wanted.near,)
    assert split(entries, wanted, NOON) == []
