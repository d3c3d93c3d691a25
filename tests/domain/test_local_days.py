from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.availability import Slot
from domain.local_days import local_days

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def slots_at(*starts: datetime) -> list[Slot]:
    """Slots that begin then."""
    return [Slot(start, 1, "https://calendly.com/ada/intro") for start in starts]


def every_hour(start: datetime, count: int) -> list[Slot]:
    """So many slots, an hour apart."""
    return slots_at(*(start + number * HOUR for number in range(count)))


@pytest.mark.parametrize(
    ("midnight", "day", "hours"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), date(2026, 3, 29), 23),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), date(2026, 10, 25), 25),
        (datetime(2026, 6, 9, 22, tzinfo=UTC), date(2026, 6, 10), 24),
    ],
)
def test_a_day_has_the_hours_that_it_has(midnight: datetime, day: date, hours: int) -> None:
    """The day on which clocks go forward has 23 hours and the one on which they go back 25."""
    found = local_days(every_hour(midnight - HOUR, 50), BERLIN)

    assert [len(each.slots) for each in found if each.date == day] == [hours]


def test_an_hour_that_occurs_twice_is_distinguished() -> None:
    """Two slots at half past two on the same day differ by their offset, and keep their order."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    (day,) = local_days(slots_at(first + HOUR, first), BERLIN)

    assert [each.local.isoformat() for each in day.slots] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
    ]
    assert [each.slot.start for each in day.slots] == [first, first + HOUR]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Pacific/Kiritimati", date(2026, 6, 11)), ("Pacific/Pago_Pago", date(2026, 6, 9))],
)
def test_a_day_is_the_one_of_the_timezone(zone: str, day: date) -> None:
    """The same moment is on another day elsewhere."""
    (found,) = local_days(slots_at(datetime(2026, 6, 10, 10, 30, tzinfo=UTC)), ZoneInfo(zone))

    assert found.date == day


def test_a_day_without_slots_is_left_out() -> None:
    """Only days on which a slot begins are returned, and none without slots."""
    monday = datetime(2026, 6, 8, 10, tzinfo=UTC)

    found = local_days(slots_at(monday, monday + timedelta(days=2)), BERLIN)

    assert [each.date.day for each in found] == [8, 10]
    assert local_days([], BERLIN) == []


MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the strategy adds the timezone
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001 - the strategy adds the timezone
    timezones=st.just(UTC),
)


@given(st.lists(MOMENTS), st.timezones())
def test_no_slot_is_lost_or_moved(starts: list[datetime], zone: ZoneInfo) -> None:
    """In any timezone, each slot is on exactly one day, at its own moment, in order."""
    days = local_days(slots_at(*starts), zone)

    slots = [each for day in days for each in day.slots]
    assert [each.slot.start for each in slots] == sorted(starts)
    assert all(each.local == each.slot.start for each in slots)
    assert all(each.local.date() == day.date for day in days for each in day.slots)
