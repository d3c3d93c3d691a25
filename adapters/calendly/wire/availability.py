"""Slots, busy times, schedules: the three lists without pages at Calendly."""

import msgspec

from adapters.calendly.wire.decoding import Dated, Time


class AvailableTime(Dated):
    """An open slot (Calendly: List Event Type Available Times)."""

    decisive = ("status", "invitees_remaining")
    start_time: Time
    scheduling_url: str
    status: str = "available"
    invitees_remaining: int = 1


class BusyTime(Dated):
    """A busy time (Calendly: List User Busy Times)."""

    type: str
    start_time: Time
    end_time: Time


class Interval(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """Part of a day, `hh:mm` in the schedule's timezone."""

    start: str
    end: str


class Rule(msgspec.Struct):
    """A weekday's or a date's hours."""

    decisive = ("wday", "date", "intervals")
    type: str
    wday: str | None = None
    date: str | None = None
    intervals: list[Interval] = []


class Schedule(msgspec.Struct):
    """An availability schedule (Calendly: List User Availability Schedules)."""

    decisive = ("rules",)
    uri: str
    timezone: str
    name: str = ""
    default: bool = False
    rules: list[Rule] = []
