"""Event types a page at a time, by name.

The position is a name and a URI, not a count. So event types that are added or removed between two
pages cause no other one to be omitted or repeated.
"""

from collections.abc import Iterable
from typing import NamedTuple

from adapters.web.params.cursor import decode_name, encode_name
from domain.availability import EventType


class EventTypePage(NamedTuple):
    """A page, and the cursor of the next one if there is any."""

    items: tuple[EventType, ...]
    next_cursor: str | None


def after_of(cursor: str | None) -> tuple[str, str] | None:
    """Return the position after which a page begins. Raises InvalidCursor."""
    return None if cursor is None else decode_name(cursor)


def page_of(
    items: Iterable[EventType], limit: int, after: tuple[str, str] | None
) -> EventTypePage:
    """Return the page of at most `limit` that begins after a position."""
    ordered = sorted(items, key=_position)
    left = [each for each in ordered if after is None or _position(each) > after]
    page = tuple(left[:limit])
    return EventTypePage(page, encode_name(_position(page[-1])) if len(left) > limit else None)


def _position(event_type: EventType) -> tuple[str, str]:
    return event_type.name.casefold(), event_type.uri
