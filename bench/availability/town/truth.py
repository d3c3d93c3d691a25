"""What delivered webhooks have taken, so that no read has to look through bookings."""

from collections import defaultdict

from bench.availability.calendly.diary import Booking
from bench.availability.calendly.hosts import EVENT_TYPES, QUARTER, Host

_LENGTHS = frozenset(each.length for each in EVENT_TYPES)
_NOTHING: frozenset[int] = frozenset()


class Taken:
    """Starts (UNIX seconds) that no fresh answer may offer, by host and length of meeting.

    What is handed out does not change any more: a read compares its answer with what had been
    delivered when it began.
    """

    def __init__(self) -> None:
        self._bookings: defaultdict[int, dict[int, Booking]] = defaultdict(dict)
        self._blocked: dict[tuple[int, int], frozenset[int]] = {}

    def delivered(self, booking: Booking) -> None:
        """A booking's webhook was answered, and so it is known."""
        self._bookings[booking.host.number][booking.number] = booking
        self._renew(booking.host)

    def canceled(self, booking: Booking) -> None:
        """Calendly gave the time back, whoever knows of it."""
        self._bookings[booking.host.number].pop(booking.number, None)
        self._renew(booking.host)

    def blocked(self, host: Host, length: int) -> frozenset[int]:
        """Return the starts at which a meeting of this length (quarters) would collide."""
        return self._blocked.get((host.number, length), _NOTHING)

    def _renew(self, host: Host) -> None:
        bookings = self._bookings[host.number].values()
        for length in _LENGTHS:
            self._blocked[host.number, length] = frozenset(
                start * QUARTER
                for each in bookings
                for start in range(each.start - length + 1, each.end)
            )
