from datetime import timedelta

import pytest

from domain.availability import Window
from domain.integration import Gap
from domain.sweep_window import Reach, Reaches, window
from tests.domain.samples import NOW

DAY = timedelta(days=1)
REACHES = Reaches(usual=Reach(7 * DAY, 60 * DAY), wide=Reach(30 * DAY, 365 * DAY))


def gap(days: int) -> Gap:
    """Return a gap that began so many days ago and ended now."""
    return Gap(since=NOW - days * DAY, until=NOW)


@pytest.mark.parametrize(
    ("open_gap", "wide", "before", "after"),
    [
        (None, False, 7, 60),
        (None, True, 30, 365),
        (gap(1), False, 8, 365),
        (gap(40), False, 47, 365),
        (gap(1), True, 30, 365),
        (gap(40), True, 47, 365),
    ],
)
def test_a_sweep_looks_so_far(open_gap: Gap | None, wide: bool, before: int, after: int) -> None:
    """A gap is looked at from a usual look back before it began to as far ahead as one can book."""
    expected = Window(start=NOW - before * DAY, end=NOW + after * DAY)

    assert window(NOW, REACHES, open_gap, wide=wide) == expected


def test_two_gaps_are_joined_to_one() -> None:
    """The missed webhooks of two gaps are looked for from the earlier start to the later end."""
    earlier, later = Gap(NOW - 3 * DAY, NOW - 2 * DAY), Gap(NOW - DAY, NOW)

    assert earlier.joined(later) == later.joined(earlier) == Gap(NOW - 3 * DAY, NOW)
    assert earlier.joined(None) == earlier
