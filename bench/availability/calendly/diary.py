"""The truth: who booked what, and which starts are left."""

from collections import defaultdict
from collections.abc import Collection, Iterator

import msgspec

from bench.availability.calendly.hosts import EVENT_TYPES, Host, Hours, Span, starts


class Booking(msgspec.Struct, eq=False):
    """One meeting: an event type's number and the quarters that it takes."""

    number: int
    host: Host
    event_type: int
    start: int
    end: int


class Diary:
    """All bookings of all hosts; canceled ones leave."""

    def __init__(self) -> None:
        self._taken: defaultdict[int, set[int]] = defaultdict(set)
        self._of: defaultdict[int, dict[int, Booking]] = defaultdict(dict)
        self._made = 0

    def is_taken(self, host: Host, hours: Hours) -> bool:
        """Whether anything of a day is booked."""
        taken = self._taken.get(host.number)
        return taken is not None and not taken.isdisjoint(range(hours.opens, hours.closes))

    def free(self, host: Host, event_type: int, span: Span) -> Iterator[int]:
        """Return the starts in a span that are open, in order."""
        length, taken = EVENT_TYPES[event_type].length, self._taken.get(host.number, ())
        for hours in host.hours(span):
            for at in starts(hours, length):
                if span.start <= at < span.end and not any(
                    q in taken for q in range(at, at + length)
                ):
                    yield at

    def active(self, host: Host, span: Span) -> list[Booking]:
        """Return the bookings that touch a span, in order of time."""
        found = self._of.get(host.number, {}).values()
        touching = (each for each in found if each.start < span.end and each.end > span.start)
        return sorted(touching, key=lambda each: each.start)

    def numbers(self, host: Host) -> Collection[int]:
        """Return the numbers of the bookings that stand."""
        return self._of[host.number].keys()

    def book(self, host: Host, event_type: int, start: int) -> Booking:
        """Take an open start."""
        self._made += 1
        end = start + EVENT_TYPES[event_type].length
        booking = Booking(self._made, host, event_type, start, end)
        self._of[host.number][booking.number] = booking
        self._taken[host.number].update(range(start, end))
        return booking

    def cancel(self, booking: Booking) -> None:
        """Give it back."""
        del self._of[booking.host.number][booking.number]
        self._taken[booking.host.number].difference_update(range(booking.start, booking.end))
