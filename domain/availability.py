"""What a host offers: event types, open slots, busy times, weekly schedules.

A slot is offered only when nobody is known to sit on it: `open_slots` leaves out what a known
booking occupies even before Calendly was asked again, where `taken_by_one_booking` says that a
booking does so.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.errors import InvalidRange
from domain.event_types import Place, Profile

SLOT_WINDOW = timedelta(days=31)  # Calendly: event_type_available_times, since 9 July 2026
BUSY_WINDOW = timedelta(days=7)  # Calendly: user_busy_times
GROUP = "group"
# Calendly: pooling types of which one host of several takes the meeting.
ONE_OF_SEVERAL = frozenset({"round_robin", "multi_pool"})


class Question(msgspec.Struct, frozen=True):
    """One custom question of an event type."""

    name: str
    kind: str
    position: int
    required: bool
    enabled: bool = True
    choices: tuple[str, ...] = ()
    include_other: bool = False


class EventType(msgspec.Struct, frozen=True):
    """One kind of meeting that a host offers.

    Args:
        duration: minutes.
        duration_options: minutes an invitee may choose from instead; empty where there is no
            choice.
        booking_method: `instant`, or `poll` for a meeting poll; None where it was never asked.
        position: its place on the host's page.
        secret: whether only who knows its address finds it.
        locations: the same places as `location_kinds`, with what is said of each.

    """

    uri: str
    name: str
    active: bool
    duration: int
    kind: str
    scheduling_url: str
    slug: str | None = None
    pooling_type: str | None = None
    description: str | None = None
    color: str | None = None
    location_kinds: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    deleted_at: datetime | None = None
    updated_at: datetime | None = None
    booking_method: str | None = None
    duration_options: tuple[int, ...] = ()
    position: int = 0
    secret: bool = False
    is_paid: bool = False
    admin_managed: bool = False
    locale: str | None = None
    profile: Profile | None = None
    locations: tuple[Place, ...] = ()


class Slot(msgspec.Struct, frozen=True):
    """A time that can be booked (UTC); `seats` above 1 only for group event types."""

    start: datetime
    seats: int
    scheduling_url: str


class BusyTime(msgspec.Struct, frozen=True):
    """A time at which the host is not free (UTC)."""

    kind: str
    start: datetime
    end: datetime


class Interval(msgspec.Struct, frozen=True):
    """A span of a day, `hh:mm` local to its schedule's timezone."""

    start: str
    end: str


class Rule(msgspec.Struct, frozen=True):
    """Open hours of one weekday or one date; no intervals means closed."""

    kind: str
    day: str
    intervals: tuple[Interval, ...]


class Schedule(msgspec.Struct, frozen=True):
    """A host's availability schedule."""

    uri: str
    name: str
    default: bool
    timezone: str
    rules: tuple[Rule, ...]


class Window(msgspec.Struct, frozen=True):
    """A half-open span of time, start included, end not (UTC)."""

    start: datetime
    end: datetime


def window(start: datetime, end: datetime, *, longest: timedelta) -> Window:
    """Return the span, checked.

    Raises:
        InvalidRange: naive times, an empty or reversed span, or one longer than `longest`.

    """
    if start.tzinfo is None or end.tzinfo is None:
        raise InvalidRange("start and end need a UTC offset, for example 2026-12-01T09:00:00Z.")
    if end <= start:
        raise InvalidRange("end must be after start.")
    if end - start > longest:
        raise InvalidRange(f"The range may span at most {longest.days} days.")
    return Window(start=start, end=end)


def taken_by_one_booking(event_type: EventType) -> bool:
    """Whether a booking of this host takes a slot from everybody.

    A group event offers it until its last seat is gone, and of several hosts another may be free.
    """
    return event_type.kind != GROUP and event_type.pooling_type not in ONE_OF_SEVERAL


def open_slots(
    slots: Iterable[Slot], span: Window, occupied: Sequence[Window], duration: timedelta
) -> list[Slot]:
    """Return the slots that start within the span and collide with no occupied time."""
    return [
        slot
        for slot in slots
        if span.start <= slot.start < span.end
        and not any(
            slot.start < taken.end and taken.start < slot.start + duration for taken in occupied
        )
    ]
