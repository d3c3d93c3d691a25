from datetime import datetime, timedelta

import pytest

from domain.cache_policy import CachePolicy, Freshness, freshness
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
