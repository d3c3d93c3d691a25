"""A request for open slots in its plain form, parsed from the query without the framework.

The rule not to break: the route parses a plain query in the same way. A query that the route might
parse differently, or reject, is not plain.
"""

from datetime import datetime
from typing import Final, NamedTuple

from litestar.exceptions import ValidationException

from adapters.web.params.times import moment

PATH: Final = "/api/calendly/availability"
_NAMES = 3


class PlainRange(NamedTuple):
    """The open slots of an event type within a range (UTC), and nothing else.

    Args:
        event_type: as it was sent, escapes included.

    """

    event_type: bytes
    start: datetime
    end: datetime


def plain_range(query: bytes) -> PlainRange | None:
    """Return the requested range, or None if the query is not plain.

    A plain query has `event_type`, `start` and `end`, each once and with a value, in any order.
    """
    pairs = query.split(b"&")
    # A plus sign is a blank, and older standards accept a semicolon as a separator.
    if len(pairs) != _NAMES or b"+" in query or b";" in query:
        return None
    try:
        values = dict([pair.split(b"=") for pair in pairs])
        event_type, start, end = values[b"event_type"], values[b"start"], values[b"end"]
        span = _moment(start, "start"), _moment(end, "end")
    # A name or an equals sign too many or too few; a time that is invalid or not ASCII.
    except (ValueError, KeyError, ValidationException):
        return None
    return PlainRange(event_type, *span) if event_type else None


def _moment(value: bytes, name: str) -> datetime:
    """Return a time as browsers and libraries write it in a query (WHATWG URL, RFC 3986).

    Raises ValidationException, also for an escape that a plain time does not have.
    """
    if b"%" in value:
        value = value.replace(b"%3A", b":").replace(b"%2B", b"+")
        if b"%" in value:
            value = value.replace(b"%3a", b":").replace(b"%2b", b"+")
    return moment(value.decode("ascii"), name)
