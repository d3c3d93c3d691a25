import inspect
from typing import Any

import pytest

from domain import errors
from domain.errors import SlotkeeperError
from domain.refresh_outcome import RULES, Effect, Outcome, Repeat, outcome_of

EVERY_ERROR = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, SlotkeeperError)
]


def made(error: type[SlotkeeperError]) -> SlotkeeperError:
    """Return an instance, whatever else its constructor wants."""
    wanted = inspect.signature(error.__init__).parameters
    extra: dict[str, Any] = {
        name: () if name in {"missing", "required"} else "x"
        for name, parameter in wanted.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty
    }
    return error("message", **extra)


def test_each_outcome_has_one_rule() -> None:
    """Status, breaker, repeats and what is shown follow from a table without gaps."""
    assert set(RULES) == set(Outcome)


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda each: each.__name__)
def test_only_a_refused_grant_ends_one(error: type[SlotkeeperError]) -> None:
    """Of all errors only the refusal of the token itself may end a grant."""
    rule = RULES[outcome_of(made(error))]

    assert rule.ends_grant is issubclass(error, errors.GrantRefused)


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda each: each.__name__)
def test_the_breaker_counts_outages_alone(error: type[SlotkeeperError]) -> None:
    """An answer of a healthy Calendly, or an error of our own, never opens a breaker."""
    ours_or_healthy = (
        errors.GrantRefused,
        errors.CalendlyThrottled,
        errors.ClientRefused,
        errors.SealedValueUnreadable,
        errors.CircuitOpen,
        errors.RefreshInProgress,
        errors.StorageUnavailable,
    )

    if issubclass(error, ours_or_healthy):
        assert RULES[outcome_of(made(error))].breaker is not Effect.FAILS


def test_who_keeps_the_lease() -> None:
    """No process repeats a request that may be under way, or during a user's wait."""
    keeping = {outcome for outcome, rule in RULES.items() if rule.keeps_lease}

    assert keeping == {Outcome.UNCERTAIN, Outcome.THROTTLED}


def test_what_ended_is_never_repeated() -> None:
    """A dead grant is not tried again by the job, and nothing else is given up."""
    given_up = {outcome for outcome, rule in RULES.items() if rule.repeat is Repeat.NEVER}

    assert given_up == {outcome for outcome, rule in RULES.items() if rule.ends_grant}
