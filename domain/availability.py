"""A host's event types, open slots, busy times and weekly schedules.

A slot is offered only when no known booking occupies it. `open_slots` removes occupied slots even
before the slots are fetched again; `taken_from` returns the bookings that occupy an event type.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

import msgspec

from domain.errors import InvalidRange
from domain.redacted_repr import RedactedRepr

SLOT_WINDOW = timedelta(days=31)  # Calendly: event_type_available_times, since 9 July 2026
BUSY_WINDOW = timedelta(days=7)  # Calendly: user_busy_times
GROUP = "group"
# Calendly: pooling types in which one of several hosts takes the meeting.
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


class Profile(msgspec.Struct, frozen=True):
    """The page that an event type is on: a `User`'s or a `Team`'s; `owner` is a Calendly URI."""

    kind: str
    name: str
    owner: str | None = None


class Place(RedactedRepr, msgspec.Struct, frozen=True):
    """A place that an event type offers; addresses and numbers are the host's own.

    Args:
        kind: the kind of place, for example `physical` or `zoom_conference`.
        location: an address, or the host's own text.
        additional_info: the host's remark.
        phone_number: the host's number, which the invitee calls.

    """

    shown = ("kind",)
    kind: str
    location: str | None = None
    additional_info: str | None = None
    phone_number: str | None = None


class EventType(msgspec.Struct, frozen=True):
    """One kind of meeting that a host offers.

    Newer fields have defaults, so that entries which an earlier version cached stay readable.

    Args:
        duration: minutes.
        duration_options: minutes that an invitee may choose from instead; empty without a choice.
        booking_method: `instant`, or `poll` for a meeting poll; None if it was not fetched.
        position: its place on the host's page.
        secret: whether it is hidden from the host's page, so that an invitee needs its address.
        locations: the same places as `location_kinds`, with their details.

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

    @property
    def is_offered(self) -> bool:
        """Whether it can be booked: neither switched off nor deleted."""
        return self.active and self.deleted_at is None


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
    """Return a valid span.

    Raises:
        InvalidRange: naive times, an empty or reversed span, or a span longer than `longest`.

    """
    if start.tzinfo is None or end.tzinfo is None:
        raise InvalidRange("start and end need a UTC offset, for example 2026-12-01T09:00:00Z.")
    if end <= start:
        raise InvalidRange("end must be after start.")
    if end - start > longest:
        raise InvalidRange(f"The range may span at most {longest.days} days.")
    return Window(start=start, end=end)


class Occupied(msgspec.Struct, frozen=True):
    """A booked time; the event type is None if the booking does not name it."""

    window: Window
    event_type_uri: str | None = None


def taken_from(event_type: EventType, occupied: Iterable[Occupied]) -> tuple[Window, ...]:
    """Return the booked times at which an event type can no longer be booked.

    A group event stays bookable until its last seat is taken. If one of several hosts takes the
    meeting, another host may be free.
    """
    if event_type.pooling_type in ONE_OF_SEVERAL:
        return ()
    own = {event_type.uri, None} if event_type.kind == GROUP else frozenset()
    return tuple(each.window for each in occupied if each.event_type_uri not in own)


def open_slots(
    slots: Iterable[Slot], span: Window, occupied: Sequence[Window], duration: timedelta
) -> list[Slot]:
    """Return the slots that start within the span and collide with no occupied time."""
    ahead = [slot for slot in slots if span.start <= slot.start < span.end]
    if not occupied:
        return ahead
    by_start = sorted(occupied, key=lambda taken: taken.start)
    starts = [taken.start for taken in by_start]
    # The latest end of all bookings that began up to each one: it shows whether one of them
    # overlaps a slot.
    ends = list(accumulate((taken.end for taken in by_start), max))

    def is_free(slot: Slot) -> bool:
        began = bisect_left(starts, slot.start + duration)
        return began == 0 or ends[began - 1] <= slot.start

    return [slot for slot in ahead if is_free(slot)]
