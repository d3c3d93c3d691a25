from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cache_policy import (
    SETTLING,
    Aging,
    CachePolicy,
    Deadlines,
    Freshness,
    settles_at,
)
from tests.domain.samples import NOW, seconds

POLICY = CachePolicy(
    soft_ttl=timedelta(minutes=15),
    stale_while_revalidate=timedelta(hours=30),
    ttl=timedelta(hours=24),
    jitter=0,
)
TIMES = Aging.TIMES
INSTANT = timedelta(microseconds=1)
spans = st.integers(1, 10**6).map(seconds)
policies = st.builds(
    CachePolicy,
    soft_ttl=spans,
    lists_soft_ttl=spans,
    stale_while_revalidate=spans,
    ttl=spans,
    jitter=st.floats(0, 0.5),
)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(), Freshness.FRESH),
        (POLICY.soft_ttl, Freshness.FRESH),
        (POLICY.soft_ttl + INSTANT, Freshness.STALE),
        (POLICY.ttl, Freshness.STALE),
        (POLICY.ttl + INSTANT, Freshness.EXPIRED),
        (-seconds(5), Freshness.FRESH),
    ],
)
def test_an_entry_becomes_stale_with_age(age: timedelta, expected: Freshness) -> None:
    """A part is fresh up to the soft limit, stale up to the hard one, and expired after it."""
    assert POLICY.freshness(NOW - age, None, NOW, "busy", TIMES) is expected


def test_a_stale_entry_is_served_for_a_limited_time() -> None:
    """A part expires when it was stale for too long, though its TTL is not over."""
    policy = CachePolicy(
        soft_ttl=seconds(60), stale_while_revalidate=seconds(30), ttl=seconds(600), jitter=0
    )

    assert policy.deadlines(NOW, "busy", TIMES) == Deadlines(NOW + seconds(60), NOW + seconds(90))


@pytest.mark.parametrize(
    ("invalidated_at", "expected"),
    [
        (NOW - seconds(61), Freshness.FRESH),
        (NOW - seconds(60), Freshness.INVALIDATED),
        (NOW, Freshness.INVALIDATED),
    ],
)
def test_a_change_after_the_fetch_invalidates(
    invalidated_at: datetime, expected: Freshness
) -> None:
    """A change at or after the fetch invalidates; one that the fetch already saw does not."""
    assert POLICY.freshness(NOW - seconds(60), invalidated_at, NOW, "busy", TIMES) is expected


def test_an_expired_entry_stays_expired_after_a_change() -> None:
    """Invalidation does not make an expired part servable again."""
    assert POLICY.freshness(NOW - timedelta(days=2), NOW, NOW, "busy", TIMES) is Freshness.EXPIRED


def test_lists_age_more_slowly() -> None:
    """Event types and schedules are fresh for as long as their own soft limit says."""
    policy = CachePolicy(jitter=0)

    stale_at = [policy.deadlines(NOW, "", each).stale_at for each in (Aging.TIMES, Aging.LISTS)]

    assert stale_at == [NOW + policy.soft_ttl, NOW + policy.lists_soft_ttl]


@given(policies, st.sampled_from(Aging))
def test_nothing_expires_before_the_shortest_life(policy: CachePolicy, aging: Aging) -> None:
    """An entry of any kind is served for the shortest life at least."""
    expires_at = policy.deadlines(NOW, "busy", aging).expires_at

    assert expires_at >= NOW + policy.shortest_life - INSTANT


@given(policies, st.text(max_size=5))
def test_deadlines_come_early_within_bounds(policy: CachePolicy, seed: str) -> None:
    """A deadline comes earlier by the jitter's share at most, never later, and stale first."""
    stale_at, expires_at = policy.deadlines(NOW, seed, TIMES)

    least = 1 - policy.jitter
    assert stale_at <= expires_at <= NOW + policy.ttl
    assert NOW + min(policy.soft_ttl, policy.ttl) * least - INSTANT <= stale_at
    latest = min(policy.ttl, policy.soft_ttl + policy.stale_while_revalidate)
    assert expires_at >= NOW + latest * least - INSTANT


def test_entries_fetched_together_expire_apart() -> None:
    """The deadlines of parts of one moment are spread over the whole of the jitter."""
    policy = CachePolicy(soft_ttl=timedelta(hours=1), jitter=0.1)
    early, late = timedelta(minutes=54), timedelta(hours=1)

    ages = sorted(
        policy.deadlines(NOW, f"slots {each}", TIMES).stale_at - NOW for each in range(1000)
    )

    assert early <= ages[0] < early + seconds(6)
    assert late - seconds(6) < ages[-1] <= late
    assert seconds(150) < ages[500] - early < seconds(210)


def test_deadlines_are_the_same_everywhere() -> None:
    """Every process gives a part the same deadlines, and a new fetch gives it others."""
    policy = CachePolicy()

    first = policy.deadlines(NOW, "busy", TIMES)
    again = policy.deadlines(NOW.astimezone(), "busy", TIMES)
    next_fetch = policy.deadlines(NOW + seconds(1), "busy", TIMES)

    assert again == first
    assert next_fetch.stale_at - first.stale_at != seconds(1)


@pytest.mark.parametrize(
    ("since", "expected"),
    [(INSTANT, NOW + SETTLING), (SETTLING - INSTANT, NOW + SETTLING), (SETTLING, None)],
)
def test_a_change_settles_within_a_minute(since: timedelta, expected: datetime | None) -> None:
    """An entry that is fetched within a minute after a change is fetched once more after it."""
    assert settles_at(NOW + since, NOW) == expected


def test_an_entry_that_settles_is_stale_then_and_expires_as_usual() -> None:
    """It is served immediately, as stale, and refreshed in the background."""
    at = NOW + seconds(50)
    usual, settling = (POLICY.deadlines(NOW, "busy", TIMES, each) for each in (None, at))

    assert settling == Deadlines(at, usual.expires_at)
    assert POLICY.freshness(NOW, None, at, "busy", TIMES, settles_at=at) is Freshness.FRESH
    assert (
        POLICY.freshness(NOW, None, at + INSTANT, "busy", TIMES, settles_at=at) is Freshness.STALE
    )
