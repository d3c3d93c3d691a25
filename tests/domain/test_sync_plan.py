from datetime import datetime, timedelta

import msgspec
import pytest

from domain.cache_policy import CachePolicy, Freshness
from domain.sync_plan import (
    is_spent,
    is_used,
    may_be_asked,
    standing,
    still_wanted,
    wanted_by_sync,
)
from tests.domain.samples import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
POLICY = CachePolicy(jitter=0)
LONG_AGO = NOW - timedelta(days=365)


class Part(msgspec.Struct, frozen=True):
    """What is known of a part but its content."""

    fetched_at: datetime
    read_at: datetime | None = None
    invalidated_at: datetime | None = None
    retry_at: datetime | None = None
    known: bool = True
    key: str = ""
    seed: str = "busy "


def wanted(part: Part, connected_at: datetime = LONG_AGO) -> bool:
    """Whether the sync refills it now."""
    return wanted_by_sync(part, NOW, POLICY, connected_at)


def aged(age: timedelta, **known: object) -> Part:
    """Return a part of this age."""
    return msgspec.structs.replace(Part(NOW - age), **known)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (None, Freshness.MISSING),
        (aged(HOUR, known=False), Freshness.MISSING),
        (aged(HOUR), Freshness.FRESH),
        (aged(2 * HOUR), Freshness.STALE),
        (aged(HOUR, invalidated_at=NOW), Freshness.INVALIDATED),
        (aged(2 * DAY), Freshness.EXPIRED),
    ],
)
def test_standing(part: Part | None, expected: Freshness) -> None:
    """What was never fetched is missing; all else stands as the policy says."""
    assert standing(part, NOW, POLICY) is expected


@pytest.mark.parametrize("age", [2 * HOUR, 2 * DAY])
def test_what_is_read_is_refilled(age: timedelta) -> None:
    """An old part that was read since it was fetched is refilled; a fresh one is not."""
    assert wanted(aged(age, read_at=NOW - age))
    assert wanted(aged(HOUR, read_at=NOW, invalidated_at=NOW))
    assert not wanted(aged(HOUR, read_at=NOW))


@pytest.mark.parametrize("read_at", [None, NOW - 3 * HOUR])
def test_what_nobody_read_since_is_left_alone(read_at: datetime | None) -> None:
    """A stale or overtaken part that nobody read since its fetch costs no call."""
    assert not wanted(aged(2 * HOUR, read_at=read_at))
    assert not wanted(aged(2 * HOUR, read_at=read_at, invalidated_at=NOW))


@pytest.mark.parametrize(
    ("read", "connected", "expected"),
    [(6, 365, True), (8, 365, False), (None, 6, True), (None, 8, False), (8, 6, True)],
)
def test_what_would_expire_is_kept_warm(read: int | None, connected: int, expected: bool) -> None:
    """What would expire before the look after next is refilled if its user was there lately."""
    read_at = None if read is None else NOW - read * DAY
    soon = aged(POLICY.ttl - 2 * HOUR, read_at=read_at)
    later = aged(POLICY.ttl - 2 * HOUR - timedelta(seconds=1), read_at=read_at)

    assert wanted(soon, NOW - connected * DAY) is expected
    assert not wanted(later, NOW - connected * DAY)


def test_what_is_missing_is_fetched_for_who_is_there() -> None:
    """A part that never came is asked for again while its user is there, and no longer."""
    assert wanted(aged(HOUR, known=False), connected_at=NOW)
    assert wanted(aged(HOUR, known=False, read_at=NOW))
    assert not wanted(aged(HOUR, known=False))


def test_a_failure_is_rested_on() -> None:
    """After a failure nobody asks again before it is time, however a part stands."""
    resting = aged(2 * DAY, read_at=NOW, retry_at=NOW + timedelta(seconds=1))
    rested = aged(2 * DAY, read_at=NOW, retry_at=NOW)

    assert [may_be_asked(each, NOW) for each in (None, resting, rested)] == [True, False, True]
    assert [still_wanted(each, NOW, POLICY) for each in (resting, rested)] == [False, True]
    assert [wanted(each) for each in (resting, rested)] == [False, True]


def test_a_reader_wants_what_is_not_fresh() -> None:
    """Under the right to fetch, only what meanwhile became fresh is not wanted any more."""
    assert [still_wanted(each, NOW, POLICY) for each in (None, aged(2 * HOUR), aged(HOUR))] == [
        True,
        True,
        False,
    ]


def test_far_cells_live_by_being_read() -> None:
    """A far cell is refilled when it was read since its fetch, and dropped once it expired."""
    key = "https://api.calendly.com/event_types/A#671"
    read = aged(2 * DAY, key=key, read_at=NOW)
    unread = aged(2 * DAY, key=key, read_at=NOW - 3 * DAY)
    stale = aged(POLICY.ttl, key=key)
    resting = aged(2 * DAY, key=key, read_at=NOW, retry_at=NOW + HOUR)

    assert [wanted(each, NOW) for each in (read, unread, stale)] == [True, False, False]
    assert [is_spent(each, NOW, POLICY) for each in (read, unread, stale, resting)] == [
        False,
        True,
        False,
        False,
    ]


def test_near_windows_are_never_dropped() -> None:
    """What expired of a near window stays: it is the last known."""
    assert not is_spent(aged(30 * DAY), NOW, POLICY)


def test_connecting_counts_as_reading() -> None:
    """A user is there for a while after the later of connecting and reading."""
    edge = NOW - POLICY.keep_warm

    assert is_used(edge, NOW, POLICY, LONG_AGO)
    assert is_used(None, NOW, POLICY, edge)
    assert not is_used(edge - HOUR, NOW, POLICY, edge - HOUR)
