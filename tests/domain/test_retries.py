from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors
from domain.backoff import RetryPolicy
from domain.errors import (
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    CircuitOpen,
    GrantRefused,
    Kind,
    RefreshInProgress,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.repetition import BY_KIND, EXCEPTIONS, Repeat, repeat_of
from domain.retries import OWN, REFRESH_BACKOFF, SHORTEST, STORING, RetryTable
from tests.domain.samples import seconds

ALL = sorted(
    (each for each in vars(errors).values() if isinstance(each, type)),
    key=lambda each: each.__name__,
)
ERRORS = [each for each in ALL if issubclass(each, SlotkeeperError)]
AT_ONCE = {
    "RateLimited",
    "CalendlyUnavailable",
    "CalendlyThrottled",
    "StorageUnavailable",
    "StorageContended",
}
PASSING = {Kind.TRANSIENT, Kind.THROTTLED}

tables = st.builds(
    RetryTable,
    calendly=st.builds(
        RetryPolicy,
        base=st.timedeltas(timedelta(seconds=1), timedelta(minutes=1)),
        cap=st.timedeltas(timedelta(minutes=1), timedelta(hours=1)),
    ),
)
chances = st.floats(0, 1, exclude_max=True)
classes = st.sampled_from(ERRORS)


def made(of: type[SlotkeeperError], retry_after: float | None = None) -> SlotkeeperError:
    """Return an error of a class, whatever else it is made of."""
    error = of.__new__(of)
    SlotkeeperError.__init__(error, "x", retry_after=retry_after)
    return error


def test_every_kind_has_a_rule() -> None:
    """No kind of error is left without an answer to whether it is repeated."""
    assert set(BY_KIND) == set(Kind)


@pytest.mark.parametrize("of", ERRORS, ids=lambda each: each.__name__)
def test_every_error_has_exactly_one_rule(of: type[SlotkeeperError]) -> None:
    """Errors that no wait can fix are never retried, and only unprocessed calls immediately."""
    rule = repeat_of(made(of))

    assert (rule is Repeat.NEVER) is (of.kind not in PASSING)
    assert (rule is Repeat.AT_ONCE) is (of.__name__ in AT_ONCE)


def test_no_two_exceptions_speak_for_the_same_error() -> None:
    """An exception is stated once, for a class of its own, and differs from its kind's rule."""
    for one, rule in EXCEPTIONS.items():
        assert BY_KIND[one.kind] is not rule
        assert not any(issubclass(one, other) for other in EXCEPTIONS if other is not one)


def test_a_class_speaks_for_those_derived_from_it() -> None:
    """A subclass of an error keeps the rule of its parent."""

    class Overloaded(CalendlyUnavailable):
        pass

    assert repeat_of(Overloaded("x")) is Repeat.AT_ONCE


def test_what_may_have_been_processed_is_not_repeated_in_a_request() -> None:
    """A request without an answer is left to a later attempt, which looks first."""
    table = RetryTable()

    assert table.in_request(CalendlyUncertain("?"), 1, 0.5) is None
    assert table.in_job(CalendlyUncertain("?"), 1, 0.5) is not None


@given(tables, classes, st.integers(1, 100), chances)
def test_a_request_repeats_little_and_within_its_cap(
    table: RetryTable, of: type[SlotkeeperError], attempt: int, chance: float
) -> None:
    """After any error a request makes its few attempts and waits at most its cap for each."""
    wait = table.in_request(made(of), attempt, chance)

    if wait is None:
        assert attempt >= table.request.limit or of.__name__ not in AT_ONCE
    else:
        assert timedelta() <= wait <= table.request.cap


@given(tables, classes, st.integers(1, 10_000), chances)
def test_a_jobs_delay_is_within_bounds(
    table: RetryTable, of: type[SlotkeeperError], attempt: int, chance: float
) -> None:
    """A job waits at least a moment and at most its cap; a final error has no delay."""
    wait = table.in_job(made(of), attempt, chance)

    assert (wait is None) is (of.kind not in PASSING)
    if wait is not None:
        assert SHORTEST <= wait <= max(table.calendly.cap, OWN.cap)


@given(tables, classes, st.integers(1, 100), chances, st.floats(0, 86_400))
def test_a_job_waits_at_least_as_long_as_it_was_asked(
    table: RetryTable, of: type[SlotkeeperError], attempt: int, chance: float, asked: float
) -> None:
    """A stated wait is never shortened, and jitter spreads callers with the same wait."""
    wait = table.in_job(made(of, asked), attempt, chance, persistent=True)

    assert wait is not None
    assert seconds(asked) <= wait <= seconds(asked) + max(table.calendly.base, OWN.base)


def test_a_persistent_job_waits_after_any_error() -> None:
    """Where an operator may fix the cause, a final error has a next attempt too."""
    table = RetryTable()

    assert table.in_job(GrantRefused("no"), 1, 0.5) is None
    assert table.in_job(GrantRefused("no"), 1, 0.5, persistent=True) == seconds(1)


@pytest.mark.parametrize(
    ("error", "longest"),
    [
        (CalendlyUnavailable("503"), seconds(300)),
        (CircuitOpen("open"), seconds(300)),
        (StorageUnavailable("down"), seconds(60)),
        (RefreshInProgress("held"), seconds(60)),
    ],
    ids=lambda each: getattr(each, "code", ""),
)
def test_a_job_comes_back_sooner_to_our_own_side(
    error: SlotkeeperError, longest: timedelta
) -> None:
    """Calendly is given more time to recover than our own store needs."""
    assert RetryTable().in_job(error, 1_000, 1.0) == longest


@pytest.mark.parametrize(
    "policy", [RetryTable().request, RetryTable().calendly, OWN, REFRESH_BACKOFF]
)
def test_no_wait_begins_beyond_its_cap(policy: RetryPolicy) -> None:
    """Every row of the table grows from its base to its cap."""
    assert timedelta() < policy.base <= policy.cap


def test_storing_goes_on_for_about_as_long_as_a_lease_lasts() -> None:
    """A value that cannot be requested again is stored with many retries, not forever."""
    longest = sum(
        (min(STORING.base * 2**n, STORING.cap) for n in range(STORING.limit - 1)),
        start=timedelta(),
    )

    assert seconds(20) < longest < seconds(60)


def test_a_throttle_beyond_the_cap_is_handed_on() -> None:
    """A minute's rest is not sat out within a request."""
    assert RetryTable().in_request(CalendlyThrottled("429", retry_after=60), 1, 0.5) is None
    assert RetryTable().in_request(CalendlyThrottled("429", retry_after=2), 1, 0.5) == seconds(2)
