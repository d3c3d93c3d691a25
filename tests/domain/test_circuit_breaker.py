from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.circuit_breaker import (
    CLOSED,
    PROBE_TURN,
    Breaker,
    BreakerPolicy,
    BreakerState,
    admit,
    failed,
    given_back,
    is_answer,
    is_outage,
    open_for,
    seen_at,
    succeeded,
    wait,
)
from domain.errors import (
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    GrantRefused,
    SlotkeeperError,
    StorageUnavailable,
)
from tests.domain.samples import NOW, seconds

POLICY = BreakerPolicy(threshold=3, reset=seconds(60), longest=seconds(200))


def opened(at: datetime = NOW) -> Breaker:
    """Return a breaker that three failures opened."""
    breaker = CLOSED
    for _ in range(POLICY.threshold):
        breaker = failed(breaker, at, POLICY)
    return breaker


def probing(at: datetime) -> Breaker:
    """Return a breaker that opened a minute ago and let its probe out."""
    admitted = admit(opened(at - POLICY.reset), at, POLICY)
    assert admitted is not None
    return admitted


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (CalendlyUnavailable("503"), True),
        (CalendlyUncertain("no answer"), True),
        (CalendlyProtocolError("not JSON"), True),
        (CalendlyThrottled("429"), False),
        (GrantRefused("invalid_grant"), False),
    ],
)
def test_only_an_outage_counts_against_calendly(error: SlotkeeperError, outage: bool) -> None:
    """A refusal or a 429 is an answer of a healthy Calendly and trips nothing."""
    assert is_outage(error) is outage


def test_failures_below_the_threshold_keep_it_closed() -> None:
    """Calls go out until the threshold of consecutive failures is reached."""
    breaker = failed(failed(CLOSED, NOW, POLICY), NOW, POLICY)

    assert (breaker.state, breaker.failures) == (BreakerState.CLOSED, 2)
    assert admit(breaker, NOW, POLICY) == breaker
    assert failed(breaker, NOW, POLICY).state is BreakerState.OPEN


def test_an_open_breaker_says_how_long_to_wait() -> None:
    """Until the reset time is over calls are refused with what is left of it."""
    breaker = opened()

    assert wait(breaker, NOW + seconds(45), POLICY) == seconds(15)
    assert admit(breaker, NOW + seconds(45), POLICY) is None
    assert seen_at(breaker, NOW + seconds(45), POLICY) is BreakerState.OPEN


def test_the_reset_time_makes_it_half_open() -> None:
    """Once the reset time is over one call may go out, and the breaker shows as half-open."""
    later = NOW + POLICY.reset

    assert wait(opened(), later, POLICY) is None
    assert seen_at(opened(), later, POLICY) is BreakerState.HALF_OPEN
    assert probing(later).state is BreakerState.HALF_OPEN


def test_one_probe_goes_out_in_a_turn() -> None:
    """Who comes while a probe is out waits for the rest of its turn."""
    breaker = probing(NOW)

    assert admit(breaker, NOW, POLICY) is None
    assert wait(breaker, NOW + seconds(20), POLICY) == PROBE_TURN - seconds(20)
    assert seen_at(breaker, NOW, POLICY) is BreakerState.HALF_OPEN


def test_a_probe_that_never_reports_loses_its_turn() -> None:
    """A crash in the middle of a probe keeps nobody out for longer than a turn."""
    after = NOW + PROBE_TURN
    again = admit(probing(NOW), after, POLICY)

    assert again is not None
    assert again.probe_until == after + PROBE_TURN
    assert admit(again, after, POLICY) is None


def test_a_good_probe_closes_it() -> None:
    """One success forgets every failure and every trip."""
    assert succeeded(probing(NOW)) == CLOSED


def test_a_late_success_does_not_close_an_open_breaker() -> None:
    """A call that left before the breaker opened proves nothing about what came after."""
    assert succeeded(opened()) == opened()


def test_a_success_resets_the_count() -> None:
    """Only failures in a row count."""
    assert succeeded(failed(CLOSED, NOW, POLICY)) == CLOSED


def test_a_probe_without_a_result_gives_its_turn_back() -> None:
    """When a probe proved nothing the next caller may probe at once."""
    probe = probing(NOW)
    back = given_back(probe, probe)

    assert back.state is BreakerState.HALF_OPEN
    assert admit(back, NOW, POLICY) == probe


def test_only_the_probe_gives_its_turn_back() -> None:
    """A call that is not the probe, or is no longer, leaves the turn alone."""
    earlier = probing(NOW)
    current = admit(earlier, NOW + PROBE_TURN, POLICY)
    assert current is not None

    assert given_back(current, earlier) == current
    assert given_back(current, CLOSED) == current


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (GrantRefused("invalid_grant"), True),
        (CalendlyUnavailable("503"), False),
        (CalendlyThrottled("our own budget"), False),
        (CalendlyNotFound("a malformed address"), False),
        (StorageUnavailable("ours"), False),
    ],
)
def test_only_what_calendly_answered_speaks_for_it(error: SlotkeeperError, answer: bool) -> None:
    """What may have been raised before anything was sent proves nothing about Calendly."""
    assert is_answer(error) is answer


def test_a_reset_beyond_the_ceiling_holds() -> None:
    """A reset time that is longer than the ceiling is itself the ceiling."""
    policy = BreakerPolicy(reset=timedelta(hours=1))

    assert open_for(Breaker(trips=1), policy) == timedelta(hours=1)
    assert open_for(Breaker(trips=9), policy) == timedelta(hours=1)


def test_a_failed_probe_opens_it_for_longer() -> None:
    """Each failed probe doubles the time it stays open, up to the ceiling."""
    breaker, at, spans = opened(), NOW, []
    for _ in range(4):
        spans.append(open_for(breaker, POLICY))
        at += spans[-1]
        probe = admit(breaker, at, POLICY)
        assert probe is not None
        breaker = failed(probe, at, POLICY)

    assert spans == [seconds(60), seconds(120), seconds(200), seconds(200)]


def test_a_late_failure_does_not_prolong_an_open_breaker() -> None:
    """A call that left before the breaker opened is counted, but moves nothing."""
    late = failed(opened(), NOW + seconds(30), POLICY)

    assert (late.opened_at, late.trips, late.failures) == (NOW, 1, 4)


@given(st.integers(0, 10**9))
def test_the_time_open_is_bounded(trips: int) -> None:
    """However often it tripped, it stays open no longer than the ceiling."""
    assert POLICY.reset <= open_for(Breaker(trips=trips), POLICY) <= POLICY.longest


moves = st.lists(
    st.tuples(
        st.sampled_from(["admit", "succeed", "fail"]),
        st.sampled_from([0, 1, 20, 59, 60, 61, 200, 500]).map(seconds),
    ),
    max_size=60,
)


@given(moves)
def test_any_history_keeps_the_promises(history: list[tuple[str, timedelta]]) -> None:
    """Over any history: nothing goes out while open, and one probe at most in any turn."""
    breaker, now = CLOSED, NOW
    last_probe: datetime | None = None
    for move, passed in history:
        now += passed
        if move == "succeed":
            before, breaker = breaker, succeeded(breaker)
            assert breaker == (before if before.state is BreakerState.OPEN else CLOSED)
            last_probe = None
        elif move == "fail":
            before, breaker = breaker, failed(breaker, now, POLICY)
            assert breaker.failures == before.failures + 1
            if before.state is BreakerState.HALF_OPEN:
                assert (breaker.state, breaker.opened_at) == (BreakerState.OPEN, now)
                last_probe = None
        else:
            admitted = admit(breaker, now, POLICY)
            assert (admitted is None) is (wait(breaker, now, POLICY) is not None)
            if admitted is None:
                assert breaker.state is not BreakerState.CLOSED
                continue
            if admitted.state is BreakerState.HALF_OPEN:
                assert breaker.opened_at is not None
                assert now >= breaker.opened_at + open_for(breaker, POLICY)
                assert last_probe is None or now >= last_probe + PROBE_TURN
                last_probe = now
            breaker = admitted
