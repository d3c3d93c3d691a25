"""Hosts by number: what everything of theirs is called, and when they are open.

All times here are quarters: whole quarter-hours since the Unix epoch (UTC). A host works from
nine to five on weekdays of a timezone of whole hours, without daylight saving.
"""

from collections.abc import Iterator
from typing import NamedTuple

API = "https://api.calendly.com"
QUARTER = 900  # seconds
DAY = 96  # quarters
SCOPE = "availability:read event_types:read scheduled_events:read users:read webhooks:write"

_NINE, _OPEN = 36, 32  # quarters from midnight, and from opening to closing
_ZONES = (0, 1, -5, 9, 3)  # hours east of Greenwich
_THURSDAY = 3  # the epoch's first day
_WEEKDAYS = 5


class EventType(NamedTuple):
    """One of the five that every host offers; the length is in quarters."""

    number: int
    name: str
    slug: str
    length: int


EVENT_TYPES = (
    EventType(0, "30 Minute Meeting", "30min", 2),
    EventType(1, "Interview", "interview", 3),
    EventType(2, "Consultation", "consultation", 4),
    EventType(3, "Demo", "demo", 4),
    EventType(4, "Office Hours", "office-hours", 2),
)


class Span(NamedTuple):
    """From here, before there (quarters)."""

    start: int
    end: int


class Hours(NamedTuple):
    """When a host is open on one local day: from here, before there (quarters)."""

    day: int
    opens: int
    closes: int


class Host(NamedTuple):
    """A host; the number is all that tells one from another."""

    number: int

    @property
    def tag(self) -> str:
        """The eight characters by which all ids of the host begin."""
        return f"{self.number:08x}"

    @property
    def uri(self) -> str:
        """The account."""
        return f"{API}/users/{_id(self.tag, 0)}"

    @property
    def token(self) -> str:
        """The one access token, which never dies."""
        return f"token-{self.tag}"

    def event_type_uri(self, number: int) -> str:
        """Return an event type's address, by its number."""
        return f"{API}/event_types/{_id(self.tag, number + 1)}"

    def hours(self, span: Span) -> Iterator[Hours]:
        """Return the days whose opening hours touch a span."""
        east = 4 * _ZONES[self.number % len(_ZONES)]
        for day in range((span.start + east) // DAY, (span.end + east) // DAY + 1):
            if (day + _THURSDAY) % 7 < _WEEKDAYS:
                opens = day * DAY + _NINE - east
                if opens < span.end and opens + _OPEN > span.start:
                    yield Hours(day, opens, opens + _OPEN)


def host_of(uri_or_token: str) -> tuple[Host, int]:
    """Return whom an address or a token names, and the number at its end.

    Raises ValueError when it is none.
    """
    last = uri_or_token.rsplit("/", 1)[-1].removeprefix("token-")
    return Host(int(last[:8], 16)), int(last.rsplit("-", 1)[-1], 16)


def starts(hours: Hours, length: int) -> range:
    """Return where meetings of a length may start on a day, one after the other."""
    return range(hours.opens, hours.closes - length + 1, length)


def _id(tag: str, number: int) -> str:
    return f"{tag}-0000-4000-8000-{number:012x}"
