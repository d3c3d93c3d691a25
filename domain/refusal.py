"""After a refusal of a grant: when to ask again, and when refusals are not the users' doing.

RFC 6749, 5.2: `invalid_grant` also means that a grant "was issued to another client". So one
refusal does not prove that a user withdrew the access, and many together speak against it.
"""

from datetime import timedelta
from typing import NamedTuple

import msgspec

# The window in which refusals of different accounts count together.
REFUSAL_WINDOW = timedelta(minutes=10)
# So many different accounts refused within the window are too many for chance.
MANY_ACCOUNTS = 5


class RefusalPolicy(msgspec.Struct, frozen=True):
    """How a refused grant is asked again.

    Args:
        ask_again_after: the wait after each refusal before the grant is asked again. A grant
            that is refused once more after the last of them is erased.

    """

    ask_again_after: tuple[timedelta, ...] = (
        timedelta(minutes=15),
        timedelta(hours=2),
        timedelta(hours=24),
    )


class RecentOutcomes(NamedTuple):
    """The results of the latest refreshes of all processes.

    Args:
        refused: different accounts among the latest refusals, MANY_ACCOUNTS at most, this one
            included.
        refreshed: accounts that got a new pair since the earliest of these refusals; a count
            above MANY_ACCOUNTS may be cut short.

    """

    refused: int
    refreshed: int


def ask_again_in(refusals: int, policy: RefusalPolicy) -> timedelta | None:
    """Return the wait after that many refusals of a grant, or None when it is to be erased."""
    waits = policy.ask_again_after
    return waits[refusals - 1] if refusals <= len(waits) else None


def is_mass_refusal(outcomes: RecentOutcomes) -> bool:
    """Whether most of the latest outcomes are refusals of different accounts.

    The successes are counted between the refusals. So neither the size of an installation nor
    the pace of a run matters. Where users withdraw access, many refreshes lie between.
    """
    return outcomes.refused >= MANY_ACCOUNTS and outcomes.refreshed <= outcomes.refused
