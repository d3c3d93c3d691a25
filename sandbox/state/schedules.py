"""Availability schedules: weekly hours and dated exceptions, local to a time zone."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from sandbox.state.directory import User

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Interval(msgspec.Struct, frozen=True):
    """Open hours, 24-hour `hh:mm` local to the schedule's time zone."""

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Hours of one weekday or of one date; no interval means closed."""

    type: Literal["wday", "date"]
    intervals: tuple[Interval, ...] = ()
    wday: str | None = None
    date: str | None = None


_OFFICE = (Interval("09:00", "17:00"),)
OFFICE_HOURS = tuple(
    Rule("wday", _OFFICE if number < 5 else (), wday=name)  # noqa: PLR2004 - Monday to Friday
    for number, name in enumerate(WEEKDAYS)
)


class Schedule(msgspec.Struct, eq=False, kw_only=True):
    """One user's schedule; the default one governs all event types here."""

    uuid: str
    user: User
    timezone: str
    name: str = "Working hours"
    default: bool = True
    rules: tuple[Rule, ...] = OFFICE_HOURS

    def openings(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Open intervals that touch [start, end), ascending; all in UNIX seconds."""
        zone = ZoneInfo(self.timezone)
        weekly = {rule.wday: rule.intervals for rule in self.rules if rule.type == "wday"}
        dated = {rule.date: rule.intervals for rule in self.rules if rule.type == "date"}
        for day in _days(start, end, zone):
            hours = dated.get(day.isoformat(), weekly.get(WEEKDAYS[day.weekday()], ()))
            for interval in hours:
                opening = local_seconds(day, interval.start, zone)
                closing = local_seconds(day, interval.end, zone)
                if closing > start and opening < end:
                    yield opening, closing


class Schedules:
    """All schedules, by id and owner."""

    def __init__(self) -> None:
        self.all: dict[str, Schedule] = {}
        self._by_user: dict[str, list[Schedule]] = {}

    def add(self, schedule: Schedule) -> None:
        """Enter a schedule."""
        self.all[schedule.uuid] = schedule
        self._by_user.setdefault(schedule.user.uuid, []).append(schedule)

    def of(self, user: User) -> list[Schedule]:
        """The user's schedules, oldest first."""
        return self._by_user.get(user.uuid, [])

    def default_of(self, user: User) -> Schedule:
        """The schedule that governs the user's event types."""
        return next(s for s in self._by_user[user.uuid] if s.default)


def local_seconds(day: date, hhmm: str, zone: ZoneInfo) -> int:
    """UNIX seconds of a local wall-clock time; `24:00` is the next midnight."""
    hour, minute = int(hhmm[:2]), int(hhmm[3:5])
    if hour == 24:  # noqa: PLR2004 - the end of a day, as Calendly may write it
        return local_seconds(day + timedelta(days=1), "00:00", zone)
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp())


def _days(start: int, end: int, zone: ZoneInfo) -> Iterator[date]:
    day = datetime.fromtimestamp(start, zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(end, zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)
