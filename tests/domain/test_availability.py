from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.availability import (
    SLOT_WINDOW,
    EventType,
    Occupied,
    Slot,
    Window,
    open_slots,
    taken_from,
    window,
)
from domain.errors import InvalidRange
from tests.domain.samples import NOW

HALF_HOUR = timedelta(minutes=30)
spans = st.builds(
    lambda offset, length: Window(start=NOW + offset, end=NOW + offset + length),
    st.timedeltas(timedelta(), timedelta(days=30)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=90)),
)


def slot(minute: int) -> Slot:
    """Return the slot that starts so many minutes from now."""
    start = NOW + timedelta(minutes=minute)
    return Slot(start=start, seats=1, scheduling_url="https://calendly.com/grace/demo")


def between(first: int, last: int) -> Window:
    """Return the span between two minutes from now."""
    return Window(start=NOW + timedelta(minutes=first), end=NOW + timedelta(minutes=last))


def starts(slots: list[Slot]) -> list[int]:
    """Return the minutes from now at which slots start."""
    return [int((each.start - NOW).total_seconds() // 60) for each in slots]


@pytest.mark.parametrize(
    ("kind", "pooling_type", "taken"),
    [
        ("solo", None, {"own", "other's", "untold"}),
        ("solo", "collective", {"own", "other's", "untold"}),
        ("solo", "round_robin", set()),
        ("solo", "multi_pool", set()),
        ("group", None, {"other's"}),
        ("group", "round_robin", set()),
    ],
)
def test_a_booking_occupies_its_hosts_slot(
    kind: str, pooling_type: str | None, taken: set[str]
) -> None:
    """A host's booking closes a slot, unless it leaves seats or another host steps in."""
    event_type = EventType(
        uri="https://api.calendly.com/event_types/A",
        name="Intro",
        active=True,
        duration=30,
        kind=kind,
        scheduling_url="https://calendly.com/grace/intro",
        pooling_type=pooling_type,
    )

    bookings = {
        "own": Occupied(between(0, 30), event_type.uri),
        "other's": Occupied(between(30, 60), "https://api.calendly.com/event_types/B"),
        "untold": Occupied(between(60, 90)),
    }

    found = taken_from(event_type, bookings.values())

    assert found == tuple(each.window for name, each in bookings.items() if name in taken)


def test_a_range_of_the_longest_length_is_accepted() -> None:
    """A range may be exactly as long as the longest."""
    span = window(NOW, NOW + SLOT_WINDOW, longest=SLOT_WINDOW)

    assert (span.start, span.end) == (NOW, NOW + SLOT_WINDOW)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (NOW.replace(tzinfo=None), NOW + HALF_HOUR, "UTC offset"),
        (NOW, (NOW + HALF_HOUR).replace(tzinfo=None), "UTC offset"),
        (NOW, NOW, "after start"),
        (NOW, NOW - HALF_HOUR, "after start"),
        (NOW, NOW + SLOT_WINDOW + timedelta(seconds=1), "at most 31 days"),
    ],
)
def test_a_range_that_cannot_be_is_refused(start: datetime, end: datetime, message: str) -> None:
    """A naive, empty, reversed or too long range is refused with what is wrong about it."""
    with pytest.raises(InvalidRange, match=message):
        window(start, end, longest=SLOT_WINDOW)


def test_slots_are_offered_within_the_span() -> None:
    """The first moment of a span belongs to it, the last does not."""
    slots = [slot(minute) for minute in (-30, 0, 30, 60)]

    assert starts(open_slots(slots, between(0, 60), [], HALF_HOUR)) == [0, 30]


def test_a_booked_slot_is_not_offered() -> None:
    """A slot that touches a booking is left out, one that only borders on it is offered."""
    slots = [slot(minute) for minute in range(0, 120, 15)]

    offered = open_slots(slots, between(0, 120), [between(30, 60)], HALF_HOUR)

    assert starts(offered) == [0, 60, 75, 90, 105]


def test_every_booking_is_kept_clear() -> None:
    """Several bookings take away what each of them occupies."""
    slots = [slot(minute) for minute in (0, 30, 60, 90)]
    taken = [between(0, 30), between(70, 80)]

    assert starts(open_slots(slots, between(0, 120), taken, HALF_HOUR)) == [30, 90]


@given(
    st.lists(st.integers(0, 300).map(slot), max_size=12),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=6),
)
def test_no_offered_slot_overlaps_a_booking(
    slots: list[Slot], bookings: list[tuple[int, int]]
) -> None:
    """Minute by minute, no offered slot shares a minute with a booking, and none is lost."""
    occupied = [between(start, start + length) for start, length in bookings]
    busy = {minute for start, length in bookings for minute in range(start, start + length)}
    offered = open_slots(slots, between(0, 301), occupied, HALF_HOUR)

    free = [each for each in slots if busy.isdisjoint(range(*_minutes(each)))]
    assert offered == free


def _minutes(each: Slot) -> tuple[int, int]:
    (start,) = starts([each])
    return start, start + 30


def test_offsets_other_than_utc_name_the_same_moment() -> None:
    """A range given with another UTC offset is judged by the moments it names."""
    east = datetime.fromisoformat("2026-11-22T11:00:00+02:00")

    assert window(east, NOW + HALF_HOUR, longest=SLOT_WINDOW).start == NOW.astimezone(UTC)
