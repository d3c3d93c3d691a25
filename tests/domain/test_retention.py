from datetime import timedelta

import pytest

from domain.retention import SHORTEST, Retention
from tests.fakes.clock import NOON

DAY = timedelta(days=1)


@pytest.mark.parametrize("name", ["settled", "dead_letters"])
def test_no_event_is_forgotten_while_calendly_repeats_it(name: str) -> None:
    """Twice the day for which Calendly repeats a delivery is the least that events are kept."""
    assert getattr(Retention(**{name: SHORTEST}), name) == 2 * DAY
    with pytest.raises(ValueError, match="two days"):
        Retention(**{name: SHORTEST - timedelta(seconds=1)})


def test_cutoffs() -> None:
    """Each thing has its own time, counted back from now."""
    over = Retention(settled=3 * DAY, dead_letters=4 * DAY, commands=5 * DAY).over(NOON)

    assert (over.settled, over.dead_letters) == (NOON - 3 * DAY, NOON - 4 * DAY)
    assert (over.commands, over.connect_attempts) == (NOON - 5 * DAY, NOON - DAY)
