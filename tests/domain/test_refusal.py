from datetime import timedelta

import pytest

from domain.refusal import (
    MANY_ACCOUNTS,
    RecentOutcomes,
    RefusalPolicy,
    ask_again_in,
    is_mass_refusal,
)

POLICY = RefusalPolicy()


def test_a_refused_grant_is_asked_three_times_before_it_is_erased() -> None:
    """The waits are 15 minutes, 2 hours and 24 hours; then there is none."""
    waits = [ask_again_in(refusals, POLICY) for refusals in (1, 2, 3, 4)]

    assert waits == [timedelta(minutes=15), timedelta(hours=2), timedelta(hours=24), None]


@pytest.mark.parametrize(
    ("refused", "refreshed", "is_mass"),
    [
        (MANY_ACCOUNTS - 1, 0, False),
        (MANY_ACCOUNTS, 0, True),
        (MANY_ACCOUNTS, MANY_ACCOUNTS, True),
        (MANY_ACCOUNTS, MANY_ACCOUNTS + 1, False),
    ],
)
def test_a_mass_refusal_is_several_accounts_and_most_outcomes(
    refused: int, refreshed: int, *, is_mass: bool
) -> None:
    """A few refusals, or as many among many successes, are the users' own."""
    assert is_mass_refusal(RecentOutcomes(refused, refreshed)) is is_mass
