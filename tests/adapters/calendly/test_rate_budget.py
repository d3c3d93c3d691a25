import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendly.rate_budget import Allowance, RateBudget
from adapters.calendly.rate_headers import RateState, rate_state
from adapters.calendly.wire.accounts import User
from adapters.calendly.wire.envelopes import Resource
from domain.errors import CalendlyNotFound, CalendlyThrottled
from tests.adapters.calendly.support import ACCESS, UNHURRIED, StillClock, Wire, refusal, resource
from tests.fakes.calendly import bodies

ADA = "https://api.calendly.com/users/ADA"
FINN = "https://api.calendly.com/users/FINN"


def spend_all(budget: RateBudget, user: str = ADA, allowance: Allowance = Allowance.API) -> int:
    """Spend until refused; return how often it went well."""
    spent = 0
    while spent < 10_000:
        try:
            budget.spend(allowance, user)
        except CalendlyThrottled:
            return spent
        spent += 1
    raise AssertionError("the budget has no bottom")


def test_an_unknown_user_gets_the_free_plans_fifty() -> None:
    """Until an answer says more, a user has 50 requests a minute."""
    assert spend_all(RateBudget(StillClock())) == 50


def test_a_user_gets_eight_token_requests() -> None:
    """Eight token requests a minute, whatever a header says."""
    budget = RateBudget(StillClock())

    budget.learn(Allowance.TOKENS, ADA, RateState(500, 500, 60))

    assert spend_all(budget, allowance=Allowance.TOKENS) == 8


def test_a_paid_plan_is_learnt_from_the_first_answer() -> None:
    """The limit is the one the headers state, less what they say is used."""
    budget = RateBudget(StillClock())
    budget.spend(Allowance.API, ADA)

    budget.learn(Allowance.API, ADA, RateState(500, 499, 60))

    assert spend_all(budget) == 499


def test_what_other_processes_use_counts() -> None:
    """When others used most of the window, little of it is left here."""
    budget = RateBudget(StillClock())

    budget.learn(Allowance.API, ADA, RateState(500, 3, 60))

    assert spend_all(budget) == 3


def test_an_overtaken_answer_gives_nothing_back() -> None:
    """Answers that arrive out of order never raise what is left."""
    budget = RateBudget(StillClock())
    budget.learn(Allowance.API, ADA, RateState(500, 1, 60))

    budget.learn(Allowance.API, ADA, RateState(500, 400, 60))

    assert spend_all(budget) == 1


def test_a_spent_window_says_how_long_to_wait_and_opens_again() -> None:
    """The wait is the rest of the minute; after it the whole budget is back."""
    clock = StillClock()
    budget = RateBudget(clock)
    spend_all(budget)
    clock.move(45)

    with pytest.raises(CalendlyThrottled) as caught:
        budget.spend(Allowance.API, ADA)
    clock.move(15)

    assert caught.value.retry_after == 15
    assert spend_all(budget) == 50


def test_a_window_that_calendly_says_is_spent_lasts_as_long_as_it_says() -> None:
    """Where Calendly's minute began later than ours, it is Calendly's that counts."""
    clock = StillClock()
    budget = RateBudget(clock)
    budget.spend(Allowance.API, ADA)
    clock.move(50)

    budget.learn(Allowance.API, ADA, RateState(500, 0, 40))
    clock.move(20)
    with pytest.raises(CalendlyThrottled) as caught:
        budget.spend(Allowance.API, ADA)
    clock.move(20)

    assert caught.value.retry_after == 20
    assert spend_all(budget) == 500


def test_one_users_crowd_does_not_slow_another() -> None:
    """Each user has a budget of their own."""
    budget = RateBudget(StillClock())
    spend_all(budget)

    assert spend_all(budget, FINN) == 50


def test_a_pause_ends_by_itself() -> None:
    """After a 429 the user rests as long as asked, and no longer."""
    clock = StillClock()
    budget = RateBudget(clock)
    budget.pause(Allowance.API, ADA, 90)

    with pytest.raises(CalendlyThrottled) as caught:
        budget.spend(Allowance.API, ADA)
    clock.move(89)
    with pytest.raises(CalendlyThrottled) as last:
        budget.spend(Allowance.API, ADA)
    clock.move(1)
    budget.spend(Allowance.API, ADA)

    assert (caught.value.retry_after, last.value.retry_after) == (90, 1)


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    """A window from the future counts as over."""
    clock = StillClock()
    budget = RateBudget(clock)
    spend_all(budget)

    clock.move(-3600)

    assert spend_all(budget) == 50


def test_memory_is_bounded_and_the_idle_go_first() -> None:
    """The least recently used users are forgotten; the others keep their standing."""
    budget = RateBudget(StillClock(), users=2)
    spend_all(budget, ADA)
    budget.spend(Allowance.API, FINN)
    assert spend_all(budget, ADA) == 0

    budget.spend(Allowance.API, "https://api.calendly.com/users/GRACE")

    assert len(budget) == 2
    assert spend_all(budget, ADA) == 0
    assert spend_all(budget, FINN) == 50


async def test_a_spent_budget_sends_nothing() -> None:
    """A request that would only earn a 429 does not leave."""
    wire = Wire(by=lambda _: resource(bodies.user()))
    for _ in range(50):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    with pytest.raises(CalendlyThrottled):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    assert len(wire.requests) == 50


async def test_refusals_teach_too() -> None:
    """The headers of an error answer count like those of a success."""
    refused = refusal(404, "Resource Not Found")
    refused.headers.update(
        {"x-ratelimit-limit": "500", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "60"}
    )
    wire = Wire(refused)
    with pytest.raises(CalendlyNotFound):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    with pytest.raises(CalendlyThrottled):
        await wire.api.get(ACCESS, "/users/me", Resource[User])

    assert len(wire.requests) == 1


@UNHURRIED
@given(
    st.dictionaries(
        st.sampled_from(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        st.one_of(st.text(), st.integers().map(str), st.floats().map(str)),
    )
)
def test_no_header_breaks_the_budget(headers: dict[str, str]) -> None:
    """Whatever the headers hold, a user is left with a sensible window."""
    clock = StillClock()
    budget = RateBudget(clock)
    state = rate_state(headers)
    if state is not None:
        budget.learn(Allowance.API, ADA, state)
    clock.move(61)

    budget.spend(Allowance.API, ADA)
