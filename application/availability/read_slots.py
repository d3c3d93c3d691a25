"""Read the open slots of one event type from the cache.

The rule not to break: an unknown name costs no call to Calendly, even if a caller tries many names.
A name that is missing in the cached list does not exist. A new event type invalidates the list by
its webhook.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from application.availability.cache_entries import CacheAge, Origin, event_types, slots
from application.availability.cache_query import Entries, FirstKeys, RequiredKeys
from application.availability.range_query import (
    CLOCK_SKEW,
    TimeRange,
    checked_span,
    covering_keys,
    known_range_pieces,
    possible_keys,
)
from application.availability.read_through_cache import ReadThroughCache
from application.availability.refresh_scope import EVENT_TYPES
from application.availability.slot_window import SlotWindow, readable_span, slot_window_of
from application.ports.clock import Clock
from application.ports.storage.availability_cache import CacheKind
from domain.availability import (
    SLOT_WINDOW,
    EventType,
    Slot,
    Window,
    open_slots,
    taken_from,
)
from domain.errors import EventTypeNotFound
from domain.ids import UserId

# Longer than any event type: a booking after the range may collide with its last slot.
REACH: Final = timedelta(days=1)


class EventTypeQuery:
    """Implements CacheQuery: the list of event types, to find one of them by its name.

    Args:
        name: the event type's URI, or its last segment.

    """

    def __init__(self, name: str) -> None:
        self._name = name

    def first_keys(self, now: datetime) -> FirstKeys:  # noqa: ARG002 - an entry without a window
        return FirstKeys((EVENT_TYPES,))

    def required_keys(self, entries: Entries, now: datetime) -> RequiredKeys:  # noqa: ARG002
        return RequiredKeys((EVENT_TYPES,))

    def find(self, entries: Entries) -> EventType | None:
        """Return the active event type of that name, if the list contains it."""
        listed = entries.get(EVENT_TYPES)
        if listed is None or not listed.has_content:
            return None
        for each in event_types(listed):
            if each.is_offered and self._name in {each.uri, last_segment(each.uri)}:
                return each
        return None


class SlotQuery(EventTypeQuery):
    """Implements CacheQuery: the list of event types, and the windows of slots of a range.

    Args:
        name: the event type's URI, or its last segment.
        span: the range (UTC).
        collection: the expected beginning of an event type's URI, if it is known.

    """

    def __init__(self, name: str, span: Window, collection: str | None) -> None:
        super().__init__(name)
        self._span = span
        self._expected = name if "/" in name else f"{collection}{name}" if collection else None

    def time_range(self, uri: str) -> TimeRange:
        return TimeRange(CacheKind.SLOTS, uri, self._span, SLOT_WINDOW)

    def first_keys(self, now: datetime) -> FirstKeys:
        """Return the list, and the windows if the URI can be expected."""
        expected = self._expected
        windows = possible_keys(self.time_range(expected), now) if expected else ()
        return FirstKeys((EVENT_TYPES, *windows), self._occupied_in(now))

    def _occupied_in(self, now: datetime) -> Window:
        """Return the span whose bookings matter; it includes the near window if that is used."""
        start, end = self._span.start, self._span.end
        readable = readable_span(now)
        if start < readable.end:
            start, end = min(start, readable.start), max(end, readable.end)
        return Window(start=start, end=end + REACH)

    def required_keys(self, entries: Entries, now: datetime) -> RequiredKeys:
        """Return the windows of the event type in the list; none if the list lacks it."""
        event_type = self.find(entries)
        if event_type is None:
            return RequiredKeys((), consulted=(EVENT_TYPES,))
        windows = covering_keys(entries, self.time_range(event_type.uri), now)
        return RequiredKeys(windows, consulted=(EVENT_TYPES,))


class AvailabilityView(msgspec.Struct, frozen=True):
    """Open slots with their age, which is that of the oldest window they come from.

    Args:
        covered_until: the end of the cached time (UTC); later slots are not known.
        slot_window: the slots for other ranges; None if they are not fresh, or in a far window.

    """

    event_type: EventType
    slots: tuple[Slot, ...]
    start: datetime
    end: datetime
    covered_until: datetime
    age: CacheAge
    version: int
    origin: Origin
    slot_window: SlotWindow | None = None


class ReadAvailability:
    """Reads open slots, without those that a known booking occupies.

    Args:
        cache: the cache.
        clock: the clock.
        horizon: the maximal distance of a range's end from now.

    """

    def __init__(self, *, cache: ReadThroughCache, clock: Clock, horizon: timedelta) -> None:
        self._cache = cache
        self._clock = clock
        self._horizon = horizon
        # The beginning of event types' URIs at this Calendly, once one is known. A short name is
        # looked up under it in the same round trip as the list that confirms it.
        self._collection: str | None = None

    async def __call__(
        self,
        user_id: UserId,
        event_type: str,
        start: datetime,
        end: datetime,
        *,
        max_age: timedelta | None = None,
    ) -> AvailabilityView:
        """Return the open slots that start within a range, as far as the cache covers it.

        Args:
            user_id: the user.
            event_type: its Calendly URI, or the last segment of it.
            start: the start of the range (aware); not in the past.
            end: its end, at most 31 days after `start` and within the horizon.
            max_age: the maximal age of the slots, while Calendly is available. An unknown name
                has no slots, so nothing is fetched for it.

        Raises:
            InvalidRange, EventTypeNotFound, and what ReadThroughCache raises.

        """
        now = self._clock.now()
        span = checked_span(start, end, now, SLOT_WINDOW, self._horizon)
        query = SlotQuery(event_type, span, self._collection)
        result = await self._cache.read(user_id, query, max_age=max_age)
        found = query.find(result.snapshot.entries)
        if found is None:
            raise _not_found()
        self._collection = collection_of(found.uri)
        range_pieces = known_range_pieces(result, query.time_range(found.uri))
        occupied = taken_from(found, result.snapshot.occupied)
        duration = timedelta(minutes=found.duration)
        by_piece = [slots(piece.entry) for piece in range_pieces]
        return AvailabilityView(
            event_type=found,
            slots=tuple(
                slot
                for piece, of_piece in zip(range_pieces, by_piece, strict=True)
                for slot in open_slots(of_piece, piece.window, occupied, duration)
            ),
            start=span.start,
            end=span.end,
            covered_until=range_pieces[-1].known_until,
            age=result.age,
            version=result.version,
            origin=result.origin(until=span.start + CLOCK_SKEW),
            slot_window=slot_window_of(
                result,
                range_pieces,
                slots=by_piece[0],
                occupied=occupied,
                duration=duration,
                horizon=self._horizon,
            ),
        )

    async def event_type(self, user_id: UserId, name: str) -> EventType:
        """Return an active event type by URI or last segment.

        Raises EventTypeNotFound, and what ReadThroughCache raises.
        """
        query = EventTypeQuery(name)
        result = await self._cache.read(user_id, query)
        found = query.find(result.snapshot.entries)
        if found is None:
            raise _not_found()
        return found


def last_segment(uri: str) -> str:
    """Return the last segment of a URI, which is Calendly's id of the resource."""
    return uri.rsplit("/", 1)[-1]


def collection_of(uri: str) -> str:
    """Return a URI without its last segment."""
    return uri[: -len(last_segment(uri))]


def _not_found() -> EventTypeNotFound:
    return EventTypeNotFound("This user has no active event type of that name.")
