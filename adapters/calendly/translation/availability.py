"""Slots, busy times, schedules to the domain."""

from adapters.calendly.translation.times import utc
from adapters.calendly.wire import availability as wire
from domain.availability import BusyTime, Interval, Rule, Schedule, Slot


def to_slot(slot: wire.AvailableTime) -> Slot:
    return Slot(
        start=utc(slot.start_time),
        seats=slot.invitees_remaining,
        scheduling_url=slot.scheduling_url,
    )


def to_busy_time(busy: wire.BusyTime) -> BusyTime:
    """Return the busy time, without the buffers around it."""
    return BusyTime(kind=busy.type, start=utc(busy.start_time), end=utc(busy.end_time))


def to_schedule(schedule: wire.Schedule) -> Schedule:
    return Schedule(
        uri=schedule.uri,
        name=schedule.name,
        default=schedule.default,
        timezone=schedule.timezone,
        rules=tuple(_rule(each) for each in schedule.rules),
    )


def _rule(rule: wire.Rule) -> Rule:
    return Rule(
        kind=rule.type,
        day=rule.wday or rule.date or "",
        intervals=tuple(Interval(start=each.start, end=each.end) for each in rule.intervals),
    )
