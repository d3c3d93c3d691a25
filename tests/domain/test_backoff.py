from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backoff import RetryPolicy, delay, is_worth_repeating, next_delay
from domain.errors import (
    CalendlyRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    GrantRefused,
    Kind,
    SlotkeeperError,
)
from tests.domain.samples import seconds

policies = st.builds(
    RetryPolicy,
    base=st.timedeltas(timedelta(milliseconds=1), timedelta(minutes=5)),
    cap=st.timedeltas(timedelta(milliseconds=1), timedelta(hours=1)),
    limit=st.integers(1, 12),
)
chances = st.floats(0, 1, exclude_max=True)
OUTAGE = CalendlyUnavailable("Calendly answered 503.")


@given(policies, st.integers(1, 10_000), chances)
def test_a_delay_is_within_its_ceiling(policy: RetryPolicy, attempt: int, chance: float) -> None:
    """The wait is neither negative nor beyond the cap, after any number of failed attempts."""
    wait = delay(policy, attempt, chance)

    assert timedelta() <= wait <= policy.cap


@given(policies, st.integers(1, 12))
def test_ceilings_double_until_the_cap(policy: RetryPolicy, attempt: int) -> None:
    """The longest possible wait doubles with each failure until it reaches the cap."""
    this, following = (delay(policy, each, 1.0) for each in (attempt, attempt + 1))

    assert following == min(this * 2, policy.cap)
    assert delay(policy, 1, 1.0) == min(policy.base, policy.cap)


def test_jitter_is_full() -> None:
    """Waits spread over the whole span from nothing to the ceiling."""
    policy = RetryPolicy(base=seconds(1), cap=seconds(60))

    assert delay(policy, 3, 0.0) == timedelta()
    assert delay(policy, 3, 0.5) == seconds(2)


@pytest.mark.parametrize("kind", Kind)
def test_only_passing_failures_are_worth_repeating(kind: Kind) -> None:
    """Transient and throttled errors are repeated, permanent ones and a person's matters are not."""

    class Sample(SlotkeeperError):
        pass

    Sample.kind = kind

    assert is_worth_repeating(Sample("x")) is (kind in {Kind.TRANSIENT, Kind.THROTTLED})


@given(policies, st.integers(1, 20), chances)
def test_attempts_are_limited(policy: RetryPolicy, attempt: int, chance: float) -> None:
    """There is a next attempt exactly while the limit, counting the first, is not reached."""
    assert (next_delay(policy, attempt, OUTAGE, chance) is None) is (attempt >= policy.limit)


@pytest.mark.parametrize("error", [CalendlyRejected("400."), GrantRefused("invalid_grant.")])
def test_a_refusal_is_not_repeated(error: SlotkeeperError) -> None:
    """A permanent refusal is never retried, even if it names a wait."""
    error.retry_after = 1.0

    assert next_delay(RetryPolicy(), 1, error, 0.5) is None


@given(policies, chances, st.floats(0, 7200))
def test_what_calendly_asks_for_is_honoured(
    policy: RetryPolicy, chance: float, asked: float
) -> None:
    """A stated wait is the least that is waited, and beyond the cap it is handed on instead."""
    error = CalendlyThrottled("429.", retry_after=asked)
    wait = next_delay(RetryPolicy(base=policy.base, cap=policy.cap, limit=2), 1, error, chance)

    if seconds(asked) > policy.cap:
        assert wait is None
    else:
        assert wait is not None
        assert seconds(asked) <= wait <= policy.cap


def test_a_stated_wait_does_not_cut_the_jitter_short() -> None:
    """Where backing off takes longer than was asked for, the longer of the two is waited."""
    policy = RetryPolicy(base=seconds(4), cap=seconds(8))
    error = CalendlyThrottled("429.", retry_after=1.0)

    assert next_delay(policy, 1, error, 0.5) == seconds(2)
    assert next_delay(policy, 1, OUTAGE, 0.5) == seconds(2)
