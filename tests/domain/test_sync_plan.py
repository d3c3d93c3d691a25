from datetime import datetime, timedelta

import msgspec
import pytest

from domain.cache_policy import Aging, CachePolicy, Freshness
from domain.sync_plan import (
    ALONG,
    RECENT_READ,
    REFRESH_AHEAD,
    freshness_of,
    is_due_for_sync,
    is_obsolete,
    is_used,
    keep_warm_due_at,
    may_be_fetched,
    needs_refresh,
)
from tests.domain.samples import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
POLICY = CachePolicy(jitter=0)
LONG_AGO = NOW - timedelta(days=365)


class Entry(msgspec.Struct, frozen=True):
    """An entry without its content."""

    fetched_at: datetime
    read_at: datetime | None = None
    invalidated_at: datetime | None = None
    settles_at: datetime | None = None
    retry_at: datetime | None = None
    has_content: bool = True
    key: str = ""
    seed: str = "slots "
    aging: Aging = Aging.TIMES
    is_offer: bool = True


def wanted(entry: Entry, connected_at: datetime = LONG_AGO) -> bool:
    """Whether the sync refills it now."""
    return is_due_for_sync(entry, NOW, POLICY, connected_at)


def aged(age: timedelta, **has_content: object) -> Entry:
    """Return an entry of this age."""
    return msgspec.structs.replace(Entry(NOW - age), **has_content)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, Freshness.MISSING),
        (aged(HOUR, has_content=False), Freshness.MISSING),
        (aged(HOUR), Freshness.FRESH),
        (aged(7 * HOUR), Freshness.STALE),
        (aged(7 * HOUR, aging=Aging.LISTS), Freshness.FRESH),
        (aged(HOUR, invalidated_at=NOW), Freshness.INVALIDATED),
        (aged(2 * DAY), Freshness.EXPIRED),
    ],
)
def test_freshness(entry: Entry | None, expected: Freshness) -> None:
    """An entry that was never fetched is missing; for all others the policy decides."""
    assert freshness_of(entry, NOW, POLICY) is expected


@pytest.mark.parametrize("age", [7 * HOUR, 2 * DAY])
def test_what_is_read_is_refilled(age: timedelta) -> None:
    """An old entry that was read recently, since its fetch, is refreshed; a fresh one is not."""
    assert wanted(aged(age, read_at=NOW - RECENT_READ))
    assert wanted(aged(HOUR, read_at=NOW, invalidated_at=NOW))
    assert not wanted(aged(HOUR, read_at=NOW))


@pytest.mark.parametrize("read_at", [None, NOW - 8 * HOUR, NOW - 7 * HOUR])
def test_entries_without_a_later_read_are_left_alone(read_at: datetime | None) -> None:
    """A stale or invalidated entry without a read after its fetch costs no call."""
    assert not wanted(aged(7 * HOUR, read_at=read_at))
    assert not wanted(aged(7 * HOUR, read_at=read_at, invalidated_at=NOW))


def test_what_is_read_now_and_then_waits_for_its_reader() -> None:
    """An entry that was read since its fetch, but not recently, is refreshed before it expires."""
    read_at = NOW - RECENT_READ - timedelta(seconds=1)

    assert not wanted(aged(7 * HOUR, read_at=read_at))
    assert not wanted(aged(HOUR, read_at=read_at, invalidated_at=NOW))
    assert wanted(aged(POLICY.ttl, read_at=read_at))


@pytest.mark.parametrize(
    ("read", "connected", "expected"),
    [(6, 365, True), (8, 365, False), (None, 6, True), (None, 8, False), (8, 6, True)],
)
def test_what_would_expire_is_kept_warm(read: int | None, connected: int, expected: bool) -> None:
    """An entry that expires within two runs, or soon after, is refreshed for a recent user."""
    read_at = None if read is None else NOW - read * DAY
    soon = aged(POLICY.ttl - REFRESH_AHEAD * (1 + ALONG), read_at=read_at)
    later = aged(POLICY.ttl - REFRESH_AHEAD * (1 + ALONG) - timedelta(seconds=1), read_at=read_at)

    assert wanted(soon, NOW - connected * DAY) is expected
    assert not wanted(later, NOW - connected * DAY)


def test_what_is_not_of_the_offer_is_kept_once_it_was_read() -> None:
    """Busy times and schedules without any read may expire, even for a new user."""
    unread = aged(POLICY.ttl, is_offer=False)
    read = aged(POLICY.ttl, is_offer=False, read_at=NOW - 2 * DAY)

    assert [wanted(each, NOW) for each in (unread, read)] == [False, True]
    assert [keep_warm_due_at(each, NOW, POLICY, NOW) for each in (unread, read)] == [None, None]
    assert wanted(aged(HOUR, is_offer=False, has_content=False), NOW)


def test_a_user_is_due_before_an_entry_expires() -> None:
    """The sync turns to an entry two runs before it expires, and refills it then."""
    entry = aged(HOUR)

    due_at = keep_warm_due_at(entry, NOW, POLICY, NOW)

    assert due_at == NOW - HOUR + POLICY.ttl - REFRESH_AHEAD
    assert is_due_for_sync(entry, due_at, POLICY, NOW)
    assert keep_warm_due_at(entry, NOW, POLICY, LONG_AGO) is None
    assert keep_warm_due_at(aged(HOUR, key="A#671"), NOW, POLICY, NOW) is None
    assert keep_warm_due_at(aged(POLICY.ttl), NOW, POLICY, NOW) is None


def test_a_failed_entry_is_due_after_its_backoff() -> None:
    """An entry that failed shortly before it expires is due when it may be retried."""
    retry_at = NOW + timedelta(minutes=2)

    assert keep_warm_due_at(aged(POLICY.ttl, retry_at=retry_at), NOW, POLICY, NOW) == retry_at


@pytest.mark.parametrize("jitter", [0, 0.5])
@pytest.mark.parametrize("ttl", [timedelta(seconds=1), HOUR, DAY])
def test_what_was_just_refilled_is_not_due(ttl: timedelta, jitter: float) -> None:
    """Even for the shortest lives, a refresh lasts for half of that."""
    policy = CachePolicy(soft_ttl=ttl, lists_soft_ttl=ttl, ttl=ttl, jitter=jitter)
    entry = aged(timedelta())

    due_at = keep_warm_due_at(entry, NOW, policy, NOW)

    assert due_at is not None
    assert due_at >= NOW + policy.shortest_life / 2
    assert not is_due_for_sync(entry, NOW + policy.shortest_life / 2, policy, NOW)


def test_missing_entries_are_fetched_for_a_recent_user() -> None:
    """A entry that never came is asked for again while its user is there, and no longer."""
    assert wanted(aged(HOUR, has_content=False), connected_at=NOW)
    assert wanted(aged(HOUR, has_content=False, read_at=NOW))
    assert not wanted(aged(HOUR, has_content=False))


def test_a_failure_backs_off() -> None:
    """After a failure no fetch runs before its backoff ends, in any state of the entry."""
    resting = aged(2 * DAY, read_at=NOW, retry_at=NOW + timedelta(seconds=1))
    rested = aged(2 * DAY, read_at=NOW, retry_at=NOW)

    assert [may_be_fetched(each, NOW) for each in (None, resting, rested)] == [True, False, True]
    assert [needs_refresh(each, NOW, POLICY) for each in (resting, rested)] == [False, True]
    assert [wanted(each) for each in (resting, rested)] == [False, True]


def test_a_reader_wants_what_is_not_fresh() -> None:
    """Under the lease, only an entry that has become fresh is no longer wanted."""
    assert [needs_refresh(each, NOW, POLICY) for each in (None, aged(7 * HOUR), aged(HOUR))] == [
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
    assert [is_obsolete(each, NOW, POLICY) for each in (read, unread, stale, resting)] == [
        False,
        True,
        False,
        False,
    ]


def test_near_windows_are_never_dropped() -> None:
    """An expired near window stays: it is the last known."""
    assert not is_obsolete(aged(30 * DAY), NOW, POLICY)


def test_connecting_counts_as_reading() -> None:
    """A user is recent for some time after the later one of connecting and reading."""
    edge = NOW - POLICY.keep_warm

    assert is_used(edge, NOW, POLICY, LONG_AGO)
    assert is_used(None, NOW, POLICY, edge)
    assert not is_used(edge - HOUR, NOW, POLICY, edge - HOUR)
