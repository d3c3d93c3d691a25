"""Read the open slots of one event type from the cache."""

from datetime import datetime, timedelta

import msgspec

from application.cached_values import CacheAge, age_of, slots
from application.ports.availability_cache import CachedPart, Part
from application.ports.clock import Clock
from application.ports.unit_of_work import Storage
from application.read_event_types import ReadEventTypes
from application.warm_cache import WarmCache
from domain.availability import (
    SLOT_WINDOW,
    EventType,
    Slot,
    Window,
    open_slots,
    taken_by_one_booking,
    window,
)
from domain.errors import AvailabilityPending, EventTypeNotFound, InvalidRange
from domain.ids import UserId

CLOCK_SKEW = timedelta(minutes=1)


class AvailabilityView(msgspec.Struct, frozen=True):
    """Open slots with their age.

    Args:
        covered_until: how far the cache knows (UTC); beyond it no slot is not a statement.

    """

    event_type: EventType
    slots: tuple[Slot, ...]
    start: datetime
    end: datetime
    covered_until: datetime | None
    age: CacheAge


class ReadAvailability:
    """Answers from the cache, leaving out what a known booking occupies."""

    def __init__(
        self, *, storage: Storage, cache: WarmCache, event_types: ReadEventTypes, clock: Clock
    ) -> None:
        self._storage = storage
        self._cache = cache
        self._event_types = event_types
        self._clock = clock

    async def __call__(
        self, user_id: UserId, event_type: str, start: datetime, end: datetime
    ) -> AvailabilityView:
        """Return the open slots that start within a range, as far as the cache knows.

        Args:
            user_id: whose.
            event_type: its Calendly URI, or the last segment of it.
            start: from when (aware); not in the past, and before what the cache covers ends.
            end: until when, at most 31 days after `start`.

        Raises:
            InvalidRange, EventTypeNotFound, and what WarmCache raises.

        """
        span = self._span(start, end)
        wanted = await self.event_type(user_id, event_type)
        part = await self._cache.part(user_id, Part.SLOTS, wanted.uri)
        if part is None:
            raise AvailabilityPending(
                "The slots of this event type are not fetched yet; ask again shortly.",
                retry_after=5,
            )
        _check_covered(part, span)
        taken = await self._occupied(user_id, wanted, span)
        duration = timedelta(minutes=wanted.duration)
        return AvailabilityView(
            event_type=wanted,
            slots=tuple(open_slots(slots(part), span, taken, duration)),
            start=span.start,
            end=span.end,
            covered_until=part.covers.end if part.covers else None,
            age=age_of(part, self._clock.now(), self._cache.policy),
        )

    async def event_type(self, user_id: UserId, name: str) -> EventType:
        """Return an active event type by URI or last segment. Raises EventTypeNotFound."""
        view = await self._event_types(user_id)
        for each in view.items:
            if each.active and name in {each.uri, each.uri.rsplit("/", 1)[-1]}:
                return each
        raise EventTypeNotFound("This user has no active event type of that name.")

    def _span(self, start: datetime, end: datetime) -> Window:
        span = window(start, end, longest=SLOT_WINDOW)
        if span.start < self._clock.now() - CLOCK_SKEW:
            raise InvalidRange("start lies in the past.")
        return span

    async def _occupied(
        self, user_id: UserId, event_type: EventType, span: Window
    ) -> list[Window]:
        if not taken_by_one_booking(event_type):
            return []
        reach = timedelta(minutes=event_type.duration)
        async with self._storage() as uow:
            return list(await uow.bookings.occupied(user_id, Window(span.start, span.end + reach)))


def _check_covered(part: CachedPart, span: Window) -> None:
    """Refuse what would read as fully booked. Raises InvalidRange."""
    if part.covers is not None and span.start >= part.covers.end:
        until = part.covers.end.isoformat(timespec="seconds")
        raise InvalidRange(f"Slots are known until {until}; start lies beyond.")
