from datetime import datetime, timedelta

import pytest

from domain.circuit_breaker import (
    CLOSED,
    OPENER_WAITS,
    PROBE_TIMEOUT,
    Breaker,
    BreakerPolicy,
    BreakerState,
    admit,
    failed,
    is_answer,
    is_late,
    is_outage,
    open_for,
    release_probe,
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

POLICY = BreakerPolicy(threshold=3, reset=seconds(60), longest=seconds(200), window=seconds(30))


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
        (CalendlyProtocolError("a redirect"), True),
        (CalendlyProtocolError("200, not JSON", unreadable=True), False),
        (CalendlyUncertain("200, not JSON", unreadable=True), True),
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
    """A caller that comes while a probe is out waits for the rest of its time."""
    breaker = probing(NOW)

    assert admit(breaker, NOW, POLICY) is None
    assert wait(breaker, NOW + seconds(20), POLICY) == PROBE_TIMEOUT - seconds(20)
    assert seen_at(breaker, NOW, POLICY) is BreakerState.HALF_OPEN


def test_a_probe_that_never_reports_loses_its_turn() -> None:
    """A crash during a probe refuses callers for one probe's time only."""
    after = NOW + PROBE_TIMEOUT
    again = admit(probing(NOW), after, POLICY)

    assert again is not None
    assert again.probe_until == after + PROBE_TIMEOUT
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
    """When a probe proved nothing the next caller may probe immediately."""
    probe = probing(NOW)
    back = release_probe(probe, probe)

    assert back.state is BreakerState.HALF_OPEN
    assert admit(back, NOW, POLICY) == probe


def test_only_the_probe_gives_its_turn_back() -> None:
    """A call that is not the probe, or is no longer, leaves the turn alone."""
    earlier = probing(NOW)
    current = admit(earlier, NOW + PROBE_TIMEOUT, POLICY)
    assert current is not None

    assert release_probe(current, earlier) == current
    assert release_probe(current, CLOSED) == current


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
    """An error that may be raised before a request is sent proves nothing about Calendly."""
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


def test_failures_that_are_too_far_apart_do_not_open_it() -> None:
    """Failures in a row count towards the threshold only while they are within the window."""
    breaker = CLOSED
    for number in range(10):
        breaker = failed(breaker, NOW + number * POLICY.window / 2, POLICY)

    assert breaker.state is BreakerState.CLOSED
    assert breaker.failures == 10
    assert len(breaker.failed_at) == POLICY.threshold - 1


def test_a_failure_as_old_as_the_window_no_longer_counts() -> None:
    """The window is exact: a failure counts until it is as old as the window, not beyond."""
    twice = failed(failed(CLOSED, NOW, POLICY), NOW + seconds(1), POLICY)
    moment = timedelta(microseconds=1)

    assert failed(twice, NOW + POLICY.window - moment, POLICY).state is BreakerState.OPEN
    assert failed(twice, NOW + POLICY.window, POLICY).state is BreakerState.CLOSED


def test_no_more_failures_are_kept_than_count() -> None:
    """Probes that fail within a long window do not make the row grow."""
    policy = BreakerPolicy(threshold=3, reset=seconds(1), window=timedelta(hours=24))
    breaker, now = CLOSED, NOW
    for _ in range(8):
        now += policy.longest * 2
        breaker = failed(admit(breaker, now, policy) or breaker, now, policy)

    assert breaker.trips == 6
    assert breaker.failed_at == tuple(now - lag * policy.longest * 2 for lag in (2, 1, 0))


def test_clocks_that_differ_count_every_failure() -> None:
    """A failure noticed by a process whose clock is behind counts as any other."""
    ahead = failed(failed(CLOSED, NOW + seconds(2), POLICY), NOW + seconds(1), POLICY)
    breaker = failed(ahead, NOW, POLICY)

    assert breaker.state is BreakerState.OPEN
    assert breaker.failed_at == (NOW, NOW + seconds(1), NOW + seconds(2))


def test_the_end_is_settled_as_it_opens() -> None:
    """Chance is asked once, as it opens: all who read the row afterwards see the same end."""
    twice = failed(failed(CLOSED, NOW, POLICY), NOW, POLICY)
    breaker = failed(twice, NOW, POLICY, chance=0.5)
    other = BreakerPolicy(reset=seconds(1))

    assert breaker.open_until == NOW + POLICY.reset * 1.1
    assert wait(breaker, NOW, POLICY) == wait(breaker, NOW, other) == POLICY.reset * 1.1


def test_a_row_of_an_earlier_version_ends_too() -> None:
    """An open breaker that does not say when it ends stays open for its reset time."""
    old = Breaker(state=BreakerState.OPEN, failures=5, opened_at=NOW, trips=1)

    assert wait(old, NOW + seconds(45), POLICY) == seconds(15)
    assert wait(old, NOW + POLICY.reset, POLICY) is None


def test_a_call_from_before_the_opening_is_late() -> None:
    """A call from before the last opening is late; the probe and later calls are not."""
    probe = probing(NOW + POLICY.reset)
    again = failed(probe, NOW + POLICY.reset, POLICY)

    assert is_late(opened(), CLOSED)
    assert is_late(probe, CLOSED)
    assert is_late(again, probe)
    assert not is_late(probe, probe)
    assert not is_late(CLOSED, probe)


WIDE = BreakerPolicy(threshold=5)


def failed_often(breaker: Breaker, *subjects: str) -> Breaker:
    """Return the breaker after a failure of each of these accounts, one a second."""
    for number, subject in enumerate(subjects):
        breaker = failed(breaker, NOW + seconds(number), WIDE, subject=subject)
    return breaker


def test_one_account_never_opens_it() -> None:
    """Of one account no more than two failures count at a time, of any number."""
    breaker = failed_often(CLOSED, *["odd"] * 50)

    assert breaker.state is BreakerState.CLOSED
    assert breaker.failed_by == ("odd", "odd")


def test_one_account_opens_it_if_no_other_is_answered() -> None:
    """An installation with one account sees an outage too."""
    breaker = CLOSED
    for _ in range(WIDE.threshold):
        breaker = failed(breaker, NOW, WIDE, subject="only", limited=False)

    assert breaker.state is BreakerState.OPEN


def test_three_accounts_open_it() -> None:
    """An outage is seen as soon as three accounts meet it."""
    breaker = failed_often(CLOSED, "a", "a", "a", "b", "b", "b", "c")

    assert breaker.state is BreakerState.OPEN
    assert breaker.opener == "c"


def test_an_account_counts_again_after_the_window() -> None:
    """The limit for one account is one of the window."""
    twice = failed_often(CLOSED, "odd", "odd")
    later = NOW + WIDE.window + seconds(1)

    assert len(failed(twice, later, WIDE, subject="odd").failed_at) == 1


def test_calls_of_no_account_all_count() -> None:
    """A failure that belongs to no account is always evidence."""
    assert failed_often(CLOSED, *[""] * WIDE.threshold).state is BreakerState.OPEN


def test_another_account_takes_the_probe() -> None:
    """The account that opened the breaker waits longer, but not for ever: it may be alone."""
    breaker = failed_often(CLOSED, "a", "a", "b", "b", "odd")
    assert breaker.open_until is not None

    assert admit(breaker, breaker.open_until, WIDE, "odd") is None
    assert wait(breaker, breaker.open_until, WIDE, "odd") == OPENER_WAITS
    assert admit(breaker, breaker.open_until, WIDE, "a") is not None
    assert admit(breaker, breaker.open_until + OPENER_WAITS, WIDE, "odd") is not None


def test_failures_of_an_earlier_version_have_no_account() -> None:
    """A row that stores no accounts counts as calls of no account."""
    old = Breaker(failures=4, failed_at=(NOW,) * 4)

    assert failed(old, NOW, WIDE, subject="a").state is BreakerState.OPEN
