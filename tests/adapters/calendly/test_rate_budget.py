from contextlib import ExitStack
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendly.rate_budget import Allowance, RateBudget
from adapters.calendly.rate_headers import RateState, rate_state
from application.resilience.priority import in_background
from domain.errors import CalendlyThrottled
from tests.adapters.calendly.support import (
    UNHURRIED,
    StillClock,
)

ADA = "https://api.calendly.com/users/ADA"
FINN = "https://api.calendly.com/users/FINN"


def request(budget: RateBudget, user: str = ADA, state: RateState | None = None) -> None:
    """Make a request to the API that is answered immediately."""
    with budget.flight(user) as flight:
        flight.learn(state)


def spend_all(budget: RateBudget, user: str = ADA) -> int:
    """Make requests one after the other until refused; return how many went well."""
    made = 0
    while made < 10_000:
        try:
            request(budget, user)
        except CalendlyThrottled:
            return made
        made += 1
    raise AssertionError("the budget has no bottom")


def refused_for(budget: RateBudget, user: str = ADA) -> float | None:
    """Return the wait of a refused request, in seconds."""
    with pytest.raises(CalendlyThrottled) as caught, budget.flight(user):
        pass
    return caught.value.retry_after


def test_an_unknown_user_gets_the_free_plans_fifty() -> None:
    """Until an answer says more, a user has 50 requests a minute, less a reserve."""
    assert spend_all(RateBudget(StillClock())) == 45


def test_a_user_gets_eight_token_requests() -> None:
    """Eight token requests a minute, whatever a header says."""
    budget = RateBudget(StillClock())
    budget.learn(Allowance.TOKENS, ADA, RateState(500, 500, 60))

    for _ in range(8):
        budget.spend(Allowance.TOKENS, ADA)
    with pytest.raises(CalendlyThrottled):
        budget.spend(Allowance.TOKENS, ADA)

    budget.spend(Allowance.TOKENS, FINN)


def test_a_paid_plan_is_learnt_from_the_first_answer() -> None:
    """The limit is the one the headers state, less what they say is used and a reserve."""
    budget = RateBudget(StillClock())

    request(budget, state=RateState(500, 499, 60))

    assert spend_all(budget) == 479


def test_what_other_processes_use_counts() -> None:
    """When others used most of the window, little of it is left here."""
    budget = RateBudget(StillClock())

    request(budget, state=RateState(500, 23, 60))

    assert spend_all(budget) == 3


def test_a_late_answer_adds_no_requests() -> None:
    """Answers that arrive out of order never raise what is left."""
    budget = RateBudget(StillClock())
    with budget.flight(ADA) as early:
        with budget.flight(ADA) as late:
            late.learn(RateState(500, 21, 60))
        early.learn(RateState(500, 400, 60))

    assert spend_all(budget) == 1


def test_calendlys_own_minute_is_followed() -> None:
    """If a later answer counts fewer requests, Calendly's window began again, and so does ours."""
    budget = RateBudget(StillClock())
    request(budget, state=RateState(500, 21, 60))

    request(budget, state=RateState(500, 499, 60))

    assert spend_all(budget) == 479


def test_the_closer_the_limit_the_fewer_are_in_flight() -> None:
    """Requests in flight elsewhere are unseen, so near the limit one at a time goes out."""
    budget = RateBudget(StillClock())
    request(budget, state=RateState(50, 11, 60))

    with budget.flight(ADA):
        wait = refused_for(budget)

    assert wait == 1
    request(budget)


def test_a_new_minute_begins_with_a_few() -> None:
    """Before Calendly's first answer about a user only a few concurrent requests are sent."""
    budget = RateBudget(StillClock())

    with ExitStack() as flights:
        for _ in range(6):
            flights.enter_context(budget.flight(ADA))
        wait = refused_for(budget)

    assert wait == 1


def test_after_a_spent_minute_one_request_goes_ahead() -> None:
    """Whether the minute is really over is found out by a single request of each process."""
    clock = StillClock()
    budget = RateBudget(clock)
    request(budget, state=RateState(500, 0, 60))
    assert refused_for(budget) == 61
    clock.move(61)

    with budget.flight(ADA) as ahead:
        assert refused_for(budget) == 1
        ahead.learn(RateState(500, 499, 60))

    with budget.flight(ADA):
        request(budget)


def test_background_work_leaves_a_share_to_users() -> None:
    """Jobs stop while a fifth of the minute is left, and what a user asks for still goes out."""
    budget = RateBudget(StillClock())
    request(budget, state=RateState(500, 499, 60))

    with in_background():
        by_jobs = spend_all(budget)
    by_users = spend_all(budget)

    assert (by_jobs, by_users) == (379, 100)


def test_a_request_without_an_answer_counts() -> None:
    """A request that failed on the way may have been counted by Calendly."""
    budget = RateBudget(StillClock())
    request(budget, state=RateState(500, 22, 60))

    with pytest.raises(ConnectionError), budget.flight(ADA):
        raise ConnectionError

    assert spend_all(budget) == 1


def test_a_spent_window_says_how_long_to_wait_and_opens_again() -> None:
    """The wait is the rest of the minute; after it the whole budget is back."""
    clock = StillClock()
    budget = RateBudget(clock)
    spend_all(budget)
    clock.move(45)

    wait = refused_for(budget)
    clock.move(15)

    assert wait == 15
    assert spend_all(budget) == 45


def test_a_window_that_calendly_says_is_spent_lasts_as_long_as_it_says() -> None:
    """Where Calendly's minute ends at another time than ours, it is Calendly's that counts.

    It is in whole seconds, so it may end up to a second later.
    """
    clock = StillClock()
    budget = RateBudget(clock)
    request(budget)
    clock.move(50)

    request(budget, state=RateState(500, 0, 40))
    clock.move(20)
    wait = refused_for(budget)
    clock.move(21)

    assert wait == 21
    assert spend_all(budget) == 480


def test_one_users_requests_do_not_slow_another() -> None:
    """Each user has a budget of their own."""
    budget = RateBudget(StillClock())
    spend_all(budget)

    assert spend_all(budget, FINN) == 45


def test_a_pause_ends_by_itself() -> None:
    """After a 429 the user's calls wait as long as asked, and no longer."""
    clock = StillClock()
    budget = RateBudget(clock)
    budget.pause(Allowance.API, ADA, 90)

    first = refused_for(budget)
    clock.move(89)
    last = refused_for(budget)
    clock.move(1)
    request(budget)

    assert (first, last) == (90, 1)


def test_a_pause_is_never_cut_short() -> None:
    """A 429 that asks for less than an earlier one changes nothing."""
    budget = RateBudget(StillClock())
    budget.pause(Allowance.API, ADA, 90)

    budget.pause(Allowance.API, ADA, 5)

    assert refused_for(budget) == 90


def test_a_wait_of_calendlys_is_distinguished_from_our_own_limit() -> None:
    """Only a 429 for the API's own limit says that a user's calls are to rest everywhere."""
    clock = StillClock()
    budget = RateBudget(clock)
    spend_all(budget)
    budget.pause(Allowance.BOOKINGS, ADA, 90)
    assert budget.paused_until(ADA) is None

    budget.pause(Allowance.API, ADA, 90)

    assert budget.paused_until(ADA) == clock.now() + timedelta(seconds=90)
    assert budget.paused_until(FINN) is None
    clock.move(90)
    assert budget.paused_until(ADA) is None


def test_a_clock_that_is_set_back_blocks_no_user() -> None:
    """A window from the future counts as over."""
    clock = StillClock()
    budget = RateBudget(clock)
    spend_all(budget)

    clock.move(-3600)

    assert spend_all(budget) == 45


def test_memory_is_bounded_and_the_idle_go_first() -> None:
    """The least recently used users are forgotten; the others keep their counts."""
    budget = RateBudget(StillClock(), users=2)
    spend_all(budget, ADA)
    request(budget, FINN)
    assert spend_all(budget, ADA) == 0

    request(budget, "https://api.calendly.com/users/GRACE")

    assert len(budget) == 2
    assert spend_all(budget, ADA) == 0
    assert spend_all(budget, FINN) == 45


@UNHURRIED
@given(
    st.dictionaries(
        st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        st.one_of(st.text(), st.integers().map(str), st.floats().map(str)),
    )
)
def test_no_header_breaks_the_budget(headers: dict[str, str]) -> None:
    """Any headers leave a user with a sensible window."""
    clock = StillClock()
    budget = RateBudget(clock)
    state = rate_state(headers)
    request(budget, state=state)
    clock.move(61)

    request(budget)
