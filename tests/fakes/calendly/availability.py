"""The fake's event types, slots, busy times and schedules."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from application.ports.calendly.availability import Answer, Fetched, Unchanged
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
from domain.errors import CalendarBroken, CalendlyForbidden, CalendlyRejected
from domain.integration import Account
from domain.token import Access
from tests.fakes.calendly.world import API, World, not_found

V = TypeVar("V")
_PAGE = 100


class AvailabilitySide(World):
    """Implements `CalendlyAvailability`."""

    async def event_types(
        self, access: Access, user_uri: str, *, known: str | None = None
    ) -> Answer[EventType]:
        """Return the user's event types; more than a page of a hundred have no tag."""
        async with self.call("event_types"):
            self.authorize(access, "event_types:read")
            found = [each for each in self.types[user_uri] if each.deleted_at is None]
            return self._listing(found, known, paged=len(found) > _PAGE)

    async def event_type(self, access: Access, event_type_uri: str) -> EventType:
        """Return an event type of the caller's organization, deleted or not."""
        async with self.call("event_type"):
            caller = self.authorize(access, "event_types:read")
            return self.readable(caller, event_type_uri)

    async def available_times(
        self, access: Access, event_type_uri: str, span: Window, *, known: str | None = None
    ) -> Answer[Slot]:
        """Return the open slots of a span within Calendly's limits."""
        async with self.call("available_times"):
            caller = self.authorize(access, "availability:read")
            self._check(span, SLOT_WINDOW)
            offered = self.readable(caller, event_type_uri)
            if offered.deleted_at is not None:
                raise not_found("event type")
            if self.slots_need_calendar:
                self._check_calendar(self.host_of(event_type_uri))
            found = self.slots[event_type_uri] if offered.active else []
            open_ones = [each for each in found if span.start <= each.start < span.end]
            return self._listing(open_ones, known)

    async def busy_times(
        self, access: Access, user_uri: str, span: Window, *, known: str | None = None
    ) -> Answer[BusyTime]:
        """Return the busy times of a span within Calendly's limits."""
        async with self.call("busy_times"):
            self.authorize(access, "availability:read")
            self._check(span, BUSY_WINDOW)
            self._check_calendar(user_uri)
            found = sorted(self.busy[user_uri], key=lambda each: each.start)
            busy = [each for each in found if each.start < span.end and span.start < each.end]
            return self._listing(busy, known)

    async def schedules(
        self, access: Access, user_uri: str, *, known: str | None = None
    ) -> Answer[Schedule]:
        """Return the user's schedules."""
        async with self.call("schedules"):
            self.authorize(access, "availability:read")
            return self._listing(self.weekly[user_uri], known)

    async def schedule(self, access: Access, schedule_uri: str) -> Schedule:
        """Return a schedule."""
        async with self.call("schedule"):
            self.authorize(access, "availability:read")
            for each in (one for owned in self.weekly.values() for one in owned):
                if each.uri == schedule_uri:
                    return each
            raise not_found("schedule")

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
        page = self.offered(event_type_uri).scheduling_url
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

    def change_event_type(self, event_type_uri: str, **changes: Any) -> EventType:
        """Change an event type as its host does; `deleted_at` deletes it."""
        changed = msgspec.structs.replace(self.offered(event_type_uri), **changes)
        owned = self.types[self.host_of(event_type_uri)]
        owned[:] = [changed if each.uri == event_type_uri else each for each in owned]
        return changed

    def offered(self, event_type_uri: str) -> EventType:
        """Return an event type of any owner."""
        for each in (one for owned in self.types.values() for one in owned):
            if each.uri == event_type_uri:
                return each
        raise not_found("event type")

    def readable(self, caller: Account, event_type_uri: str) -> EventType:
        """Return an event type of the caller's organization, deleted or not."""
        found = self.offered(event_type_uri)
        if self.accounts[self.host_of(event_type_uri)].organization_uri != caller.organization_uri:
            raise CalendlyForbidden("This is another organization's.")
        return found

    def host_of(self, event_type_uri: str) -> str:
        """Return whose event type it is."""
        for user_uri, owned in self.types.items():
            if any(each.uri == event_type_uri for each in owned):
                return user_uri
        raise not_found("event type")

    def _check_calendar(self, user_uri: str) -> None:
        if user_uri in self.broken_calendars:
            raise CalendarBroken("The calendar connection is broken.")

    def _listing(self, found: Sequence[V], known: str | None, *, paged: bool = False) -> Answer[V]:
        if paged or not self.etags:
            return Fetched(tuple(found))
        digest = hashlib.sha256(msgspec.json.encode(found)).hexdigest()
        etag = f'W/"{digest[:32]}"'
        return Unchanged(etag) if etag == known else Fetched(tuple(found), etag)

    def _check(self, span: Window, longest: timedelta) -> None:
        if span.start < self.clock.now() or span.end - span.start > longest:
            raise CalendlyRejected("The supplied parameters are invalid.")
