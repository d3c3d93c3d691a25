"""The fake's event types, slots, busy times and schedules."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from domain.availability import (
    BUSY_WINDOW,
    SLOT_WINDOW,
    BusyTime,
    EventType,
    Question,
    Schedule,
    Slot,
    Window,
)
from domain.errors import CalendarBroken, CalendlyRejected
from domain.token import Access
from tests.fakes.calendly.world import API, World, not_found


class AvailabilitySide(World):
    """Implements `CalendlyAvailability`."""

    async def event_types(self, access: Access, user_uri: str) -> list[EventType]:
        """Return the user's event types."""
        async with self.call("event_types"):
            self.authorize(access, "event_types:read")
            return list(self.types[user_uri])

    async def available_times(
        self, access: Access, event_type_uri: str, span: Window
    ) -> list[Slot]:
        """Return the open slots of a span within Calendly's limits."""
        async with self.call("available_times"):
            self.authorize(access, "availability:read")
            self.event_type(event_type_uri)
            self._check(span, SLOT_WINDOW)
            found = self.slots[event_type_uri]
            return [each for each in found if span.start <= each.start < span.end]

    async def busy_times(self, access: Access, user_uri: str, span: Window) -> list[BusyTime]:
        """Return the busy times of a span within Calendly's limits."""
        async with self.call("busy_times"):
            self.authorize(access, "availability:read")
            self._check(span, BUSY_WINDOW)
            if user_uri in self.broken_calendars:
                raise CalendarBroken("The calendar connection is broken.")
            found = sorted(self.busy[user_uri], key=lambda each: each.start)
            return [each for each in found if each.start < span.end and span.start < each.end]

    async def schedules(self, access: Access, user_uri: str) -> list[Schedule]:
        """Return the user's schedules."""
        async with self.call("schedules"):
            self.authorize(access, "availability:read")
            return list(self.weekly[user_uri])

    def add_event_type(
        self,
        user_uri: str,
        name: str = "30 Minute Meeting",
        *,
        duration: int = 30,
        kind: str = "solo",
        location_kinds: tuple[str, ...] = ("google_conference",),
        questions: tuple[Question, ...] = (),
    ) -> EventType:
        """Add an event type without open slots; `duration` in minutes."""
        number = self.number()
        made = EventType(
            uri=f"{API}/event_types/TYPE{number:04}",
            name=name,
            active=True,
            duration=duration,
            kind=kind,
            scheduling_url=f"https://calendly.com/host/type-{number}",
            slug=f"type-{number}",
            location_kinds=location_kinds,
            questions=questions,
            updated_at=self.clock.now(),
        )
        self.types[user_uri].append(made)
        return made

    def open_slots(
        self, event_type_uri: str, starts: Iterable[datetime], *, seats: int = 1
    ) -> None:
        """Open slots at these times (UTC)."""
        page = self.event_type(event_type_uri).scheduling_url
        for start in starts:
            slot = Slot(start=start, seats=seats, scheduling_url=f"{page}/{start.isoformat()}")
            self.slots[event_type_uri].append(slot)
        self.slots[event_type_uri].sort(key=lambda each: each.start)

    def take_seat(self, event_type_uri: str, start: datetime) -> bool:
        """Take a seat of an open slot; False when there is none."""
        for place, slot in enumerate(self.slots[event_type_uri]):
            if slot.start == start:
                left = msgspec.structs.replace(slot, seats=slot.seats - 1)
                self.slots[event_type_uri][place : place + 1] = [left] if left.seats else []
                return True
        return False

    def event_type(self, event_type_uri: str) -> EventType:
        """Return an event type, whoever's it is."""
        for each in (one for owned in self.types.values() for one in owned):
            if each.uri == event_type_uri:
                return each
        raise not_found("event type")

    def host_of(self, event_type_uri: str) -> str:
        """Return whose event type it is."""
        for user_uri, owned in self.types.items():
            if any(each.uri == event_type_uri for each in owned):
                return user_uri
        raise not_found("event type")

    def _check(self, span: Window, longest: timedelta) -> None:
        if span.start < self.clock.now() or span.end - span.start > longest:
            raise CalendlyRejected("The supplied parameters are invalid.")
