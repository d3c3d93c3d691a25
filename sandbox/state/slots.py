"""Open slots and busy times of a user: schedule minus bookings minus outside calendars.

Nothing is held by reading; a slot is only taken by booking it.
"""

import zlib
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from sandbox.state.bookings import Bookings, ScheduledEvent
from sandbox.state.directory import BusyInterval, User
from sandbox.state.event_types import EventType
from sandbox.state.schedules import Schedule, Schedules, local_seconds

_LONGEST_STEP = 30  # minutes between offered starts, as Calendly offers them by default


class Slot(msgspec.Struct, frozen=True):
    """An open start in UNIX seconds, and the seats left."""

    start: int
    remaining: int


class Diary:
    """Reads one user's openings against what is taken."""

    def __init__(self, schedules: Schedules, bookings: Bookings) -> None:
        self._schedules = schedules
        self._bookings = bookings

    def slots(self, event_type: EventType, start: int, end: int) -> list[Slot]:
        """Open slots with start in [start, end), ascending; UNIX seconds."""
        host = event_type.owner
        length = event_type.duration * 60
        step = min(event_type.duration, _LONGEST_STEP) * 60
        joinable, taken = self._occupied(event_type, start, end + length)
        found = []
        for opening, closing in self._schedules.default_of(host).openings(start, end):
            behind = max(0, start - opening)
            first = opening + (behind + step - 1) // step * step
            for moment in range(first, min(closing - length + 1, end), step):
                if moment in joinable:
                    if joinable[moment] > 0:
                        found.append(Slot(moment, joinable[moment]))
                elif not _overlaps(taken, moment, moment + length):
                    found.append(Slot(moment, event_type.seats))
        return found

    def outside(self, user: User, start: int, end: int) -> Iterator[BusyInterval]:
        """Yield the user's busy times outside Calendly in [start, end), ascending."""
        schedule = self._schedules.default_of(user)
        found = [*_habitual(user, schedule, start, end), *user.busy]
        for busy in sorted(found, key=lambda interval: interval.start):
            if busy.start < end and busy.end > start:
                yield busy

    def events(self, user: User, start: int, end: int) -> list[ScheduledEvent]:
        """The user's active events that overlap [start, end), ascending by start."""
        found = self._bookings.active_between(user, start, end)
        return sorted(found, key=lambda event: event.start)

    def _occupied(
        self, event_type: EventType, start: int, end: int
    ) -> tuple[dict[int, int], list[tuple[int, int]]]:
        host = event_type.owner
        joinable: dict[int, int] = {}
        taken = [(busy.start, busy.end) for busy in self.outside(host, start, end)]
        for event in self._bookings.active_between(host, start, end):
            if event.event_type is event_type and event_type.kind == "group":
                joinable[event.start] = event_type.seats - len(event.active_invitees)
            taken.append((event.start, event.end))
        return joinable, taken


def _overlaps(taken: list[tuple[int, int]], start: int, end: int) -> bool:
    return any(busy_start < end and busy_end > start for busy_start, busy_end in taken)


def _habitual(user: User, schedule: Schedule, start: int, end: int) -> Iterator[BusyInterval]:
    """A lunch on some days and a stand-up on others: made from the user's id, never stored."""
    zone = ZoneInfo(schedule.timezone)
    openings = schedule.openings(start, end)
    for day in dict.fromkeys(datetime.fromtimestamp(at, zone).date() for at, _ in openings):
        draw = zlib.crc32(f"{user.uuid}{day.isoformat()}".encode())
        if draw % 3 == 0:
            noon = local_seconds(day, "12:00", zone)
            yield BusyInterval(noon, noon + 3600)
        if draw % 5 == 0:
            standup = local_seconds(day, "15:30", zone)
            yield BusyInterval(standup, standup + 1800)
