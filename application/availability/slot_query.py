"""What an answer about one event type needs: the list that names it, and the slots of a range.

The rule not to break: a name costs Calendly nothing. What the cached list lacks is not there,
whatever names are tried; a new event type overtakes the list by its webhook.
"""

from datetime import datetime, timedelta
from typing import Final

from application.availability.cache_entries import event_types
from application.availability.cache_query import FirstKeys, RequiredKeys
from application.availability.refresh_scope import EVENT_TYPES
from application.availability.slot_window import known_ahead
from application.availability.windows import Parts, TimeRange, needed, worth_looking_up
from application.ports.storage.availability_cache import CacheKind
from domain.availability import SLOT_WINDOW, EventType, Window

# Longer than any event type: bookings that collide with the last slot of a range.
REACH: Final = timedelta(days=1)


class EventTypeQuestion:
    """Implements Question: the list of event types, to find one of them by its name.

    Args:
        name: the event type's URI, or the last segment of it.

    """

    def __init__(self, name: str) -> None:
        self._name = name

    def lookup(self, now: datetime) -> FirstKeys:  # noqa: ARG002 - a part without time
        """Return the list."""
        return FirstKeys((EVENT_TYPES,))

    def needs(self, parts: Parts, now: datetime) -> RequiredKeys:  # noqa: ARG002
        """Return the list, which is all that the answer is made of."""
        return RequiredKeys((EVENT_TYPES,))

    def named(self, parts: Parts) -> EventType | None:
        """Return the active event type of that name, as far as the list tells."""
        listed = parts.get(EVENT_TYPES)
        if listed is None or not listed.known:
            return None
        for each in event_types(listed):
            if each.is_offered and self._name in {each.uri, last_segment(each.uri)}:
                return each
        return None


class SlotQuery(EventTypeQuestion):
    """Implements Question: the list, and the windows of slots that a range is cut from.

    Args:
        name: the event type's URI, or the last segment of it.
        span: the range (UTC).
        collection: what the URIs of event types are thought to begin with.

    """

    def __init__(self, name: str, span: Window, collection: str | None) -> None:
        super().__init__(name)
        self._span = span
        self._guess = name if "/" in name else f"{collection}{name}" if collection else None

    def time_range(self, uri: str) -> TimeRange:
        """Return the range of an event type's slots."""
        return TimeRange(CacheKind.SLOTS, uri, self._span, SLOT_WINDOW)

    def lookup(self, now: datetime) -> FirstKeys:
        """Return the list, and the windows if the URI can be guessed."""
        windows = worth_looking_up(self.time_range(self._guess), now) if self._guess else ()
        return FirstKeys((EVENT_TYPES, *windows), self._occupied_in(now))

    def _occupied_in(self, now: datetime) -> Window:
        """Return where bookings matter: of the near window all, as it is kept as a whole."""
        start, end = self._span.start, self._span.end
        ahead = known_ahead(now)
        if start < ahead.end:
            start, end = min(start, ahead.start), max(end, ahead.end)
        return Window(start=start, end=end + REACH)

    def needs(self, parts: Parts, now: datetime) -> RequiredKeys:
        """Return the windows that the list leads to; none while it names nothing."""
        found = self.named(parts)
        windows = () if found is None else needed(parts, self.time_range(found.uri), now)
        return RequiredKeys(windows, consulted=(EVENT_TYPES,))


def last_segment(uri: str) -> str:
    """Return the last segment of a URI, which is Calendly's id of what it names."""
    return uri.rsplit("/", 1)[-1]


def collection_of(uri: str) -> str:
    """Return a URI without its last segment."""
    return uri[: -len(last_segment(uri))]
