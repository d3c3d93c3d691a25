from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cache_policy import CachePolicy, Freshness, freshness, wants_refresh, worst
from tests.domain.samples import NOW, seconds

POLICY = CachePolicy(soft_ttl=timedelta(minutes=15), ttl=timedelta(hours=24))
INSTANT = timedelta(microseconds=1)


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
def test_a_part_loses_standing_with_age(age: timedelta, expected: Freshness) -> None:
    """A part is fresh up to the soft limit, stale up to the hard one, and expired after it."""
    assert freshness(NOW - age, None, NOW, POLICY) is expected


def test_a_part_that_was_never_fetched_is_missing() -> None:
    """Without a fetch there is nothing to serve, invalidated or not."""
    assert freshness(None, None, NOW, POLICY) is Freshness.MISSING
    assert freshness(None, NOW, NOW, POLICY) is Freshness.MISSING


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
    assert freshness(NOW - seconds(60), invalidated_at, NOW, POLICY) is expected


def test_an_expired_part_is_expired_whatever_changed() -> None:
    """Invalidation does not make an expired part servable again."""
    assert freshness(NOW - timedelta(days=2), NOW, NOW, POLICY) is Freshness.EXPIRED


@given(st.lists(st.sampled_from(Freshness), min_size=1))
def test_an_answer_stands_as_its_worst_part(states: list[Freshness]) -> None:
    """An answer of several parts is no better than any of them and as good as its worst."""
    order = [
        Freshness.FRESH,
        Freshness.STALE,
        Freshness.INVALIDATED,
        Freshness.EXPIRED,
        Freshness.MISSING,
    ]

    assert worst(states) in states
    assert all(order.index(worst(states)) >= order.index(each) for each in states)


def test_an_answer_of_no_parts_is_missing() -> None:
    """Where there is no part at all, nothing is known."""
    assert worst([]) is Freshness.MISSING


@pytest.mark.parametrize("state", Freshness)
def test_all_but_the_fresh_want_a_refresh(state: Freshness) -> None:
    """Everything that is not fresh is to be fetched again."""
    assert wants_refresh(state) is (state is not Freshness.FRESH)
