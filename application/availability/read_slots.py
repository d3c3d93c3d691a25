"""Read the open slots of one event type from the cache."""

from datetime import datetime, timedelta

import msgspec

from application.availability.cache_entries import CacheAge, Origin, slots
from application.availability.range_query import CLOCK_SKEW, checked_span, known_pieces
from application.availability.read_through_cache import ReadThroughCache
from application.availability.slot_query import EventTypeQuestion, SlotQuery, collection_of
from application.availability.slot_window import SlotWindow, open_window
from application.ports.clock import Clock
from domain.availability import (
    SLOT_WINDOW,
    EventType,
    Slot,
    open_slots,
    taken_from,
)
from domain.errors import EventTypeNotFound
from domain.ids import UserId


class AvailabilityView(msgspec.Struct, frozen=True):
    """Open slots with their age, which is that of the oldest window they were cut from.

    Args:
        covered_until: how far the cache knows (UTC); beyond it no slot is not a statement.
        ahead: what answers for other ranges too; None for what is not fresh, or not near.

    """

    event_type: EventType
    slots: tuple[Slot, ...]
    start: datetime
    end: datetime
    covered_until: datetime
    age: CacheAge
    version: int
    origin: Origin
    ahead: SlotWindow | None = None


class ReadAvailability:
    """Answers from the cache, leaving out what a known booking occupies.

    Args:
        cache: where the answers come from.
        clock: the time.
        horizon: how far ahead slots may be asked for.

    """

    def __init__(self, *, cache: ReadThroughCache, clock: Clock, horizon: timedelta) -> None:
        self._cache = cache
        self._clock = clock
        self._horizon = horizon
        # What the URIs of event types begin with at this Calendly, once one was seen: a short
        # name is looked up under it in the same round trip as the list that proves it right.
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
        """Return the open slots that start within a range, as far as the cache knows.

        Args:
            user_id: whose.
            event_type: its Calendly URI, or the last segment of it.
            start: from when (aware); not in the past.
            end: until when, at most 31 days after `start` and within the horizon.
            max_age: how old the slots may be at most, while Calendly can be asked. A name that
                is not known has none, so nothing is fetched for it.

        Raises:
            InvalidRange, EventTypeNotFound, and what ReadThroughCache raises.

        """
        now = self._clock.now()
        span = checked_span(start, end, now, SLOT_WINDOW, self._horizon)
        question = SlotQuery(event_type, span, self._collection)
        found = await self._cache.read(user_id, question, max_age=max_age)
        wanted = question.named(found.snapshot.parts)
        if wanted is None:
            raise _not_found()
        self._collection = collection_of(wanted.uri)
        range_pieces = known_pieces(found, question.time_range(wanted.uri))
        taken = taken_from(wanted, found.snapshot.occupied)
        duration = timedelta(minutes=wanted.duration)
        listed = [slots(piece.part) for piece in range_pieces]
        return AvailabilityView(
            event_type=wanted,
            slots=tuple(
                slot
                for piece, known in zip(range_pieces, listed, strict=True)
                for slot in open_slots(known, piece.window, taken, duration)
            ),
            start=span.start,
            end=span.end,
            covered_until=range_pieces[-1].known_until,
            age=found.age,
            version=found.version,
            origin=found.origin(until=span.start + CLOCK_SKEW),
            ahead=open_window(
                found,
                range_pieces,
                listed=listed[0],
                taken=taken,
                duration=duration,
                horizon=self._horizon,
            ),
        )

    async def event_type(self, user_id: UserId, name: str) -> EventType:
        """Return an active event type by URI or last segment.

        Raises EventTypeNotFound, and what ReadThroughCache raises.
        """
        question = EventTypeQuestion(name)
        found = await self._cache.read(user_id, question)
        wanted = question.named(found.snapshot.parts)
        if wanted is None:
            raise _not_found()
        return wanted


def _not_found() -> EventTypeNotFound:
    return EventTypeNotFound("This user has no active event type of that name.")
