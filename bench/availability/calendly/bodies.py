"""The bodies of Calendly's answers, put together from pieces that were encoded once.

Encoding some three hundred slots for each of hundreds of thousands of answers would take longer
than everything that is measured.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from bench.availability.calendly.diary import Booking, Diary
from bench.availability.calendly.hosts import (
    API,
    EVENT_TYPES,
    QUARTER,
    EventType,
    Host,
    Hours,
    Span,
    starts,
)

_TAG = "@" * 8  # stands for the host's tag
_PAGE = b"@PAGE@"
_CREATED = "2026-05-12T12:34:08.231012Z"
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OFFICE = [{"from": "09:00", "to": "17:00"}]


class _Anybody(Host):
    @property
    def tag(self) -> str:
        return _TAG


_ANYBODY = _Anybody(0)


def available_times(diary: Diary, host: Host, event_type: EventType, span: Span) -> bytes:
    """Return `GET /event_type_available_times`."""
    days = [
        found
        for hours in host.hours(span)
        if (found := _slots(diary, host, event_type, hours, span))
    ]
    page = f"https://calendly.com/host-{host.tag}/{event_type.slug}".encode()
    return b'{"collection":[%b]}' % b",".join(days).replace(_PAGE, page)


def busy_times(diary: Diary, host: Host, span: Span) -> bytes:
    """Return `GET /user_busy_times`."""
    return msgspec.json.encode({"collection": [_busy(each) for each in diary.active(host, span)]})


def event_types(host: Host) -> bytes:
    """Return `GET /event_types`."""
    return _EVENT_TYPES.replace(_TAG.encode(), host.tag.encode())


def schedules(host: Host) -> bytes:
    """Return `GET /user_availability_schedules`."""
    return _SCHEDULES.replace(_TAG.encode(), host.tag.encode())


def stamp(quarter: int) -> str:
    """Return a quarter as Calendly writes times."""
    return datetime.fromtimestamp(quarter * QUARTER, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def _slots(diary: Diary, host: Host, event_type: EventType, hours: Hours, span: Span) -> bytes:
    whole = span.start <= hours.opens and hours.closes <= span.end
    if whole and not diary.is_taken(host, hours):
        return _whole_day(hours, event_type.length)
    open_ = Span(max(span.start, hours.opens), min(span.end, hours.closes))
    return b",".join(map(_slot, diary.free(host, event_type.number, open_)))


@cache
def _whole_day(hours: Hours, length: int) -> bytes:
    return b",".join(map(_slot, starts(hours, length)))


@cache
def _slot(quarter: int) -> bytes:
    start = stamp(quarter)
    second, day = start[:19] + "Z", start[:10]
    slot = {
        "invitees_remaining": 1,
        "scheduling_url": f"{_PAGE.decode()}/{second}?month={day[:7]}&date={day}",
        "start_time": start,
        "status": "available",
    }
    return msgspec.json.encode(slot)


def _busy(booking: Booking) -> dict[str, Any]:
    start, end = stamp(booking.start), stamp(booking.end)
    return {
        "buffered_end_time": end,
        "buffered_start_time": start,
        "end_time": end,
        "event": {"uri": f"{API}/scheduled_events/{booking.host.tag}-{booking.number}"},
        "start_time": start,
        "type": "calendly",
    }


def _event_type(each: EventType) -> dict[str, Any]:
    return {
        "active": True,
        "admin_managed": False,
        "booking_method": "instant",
        "color": "#8247f5",
        "created_at": _CREATED,
        "custom_questions": [],
        "deleted_at": None,
        "description_html": None,
        "description_plain": None,
        "duration": each.length * QUARTER // 60,
        "duration_options": None,
        "internal_note": None,
        "is_paid": False,
        "kind": "solo",
        "locale": "en",
        "locations": None,
        "name": each.name,
        "pooling_type": None,
        "position": each.number,
        "profile": {"name": "Host", "owner": _ANYBODY.uri, "type": "User"},
        "scheduling_url": f"https://calendly.com/host-{_TAG}/{each.slug}",
        "secret": False,
        "slug": each.slug,
        "type": "StandardEventType",
        "updated_at": _CREATED,
        "uri": _ANYBODY.event_type_uri(each.number),
    }


def _schedule() -> dict[str, Any]:
    return {
        "default": True,
        "name": "Working hours",
        "rules": [
            {"intervals": _OFFICE if number < 5 else [], "type": "wday", "wday": day}  # noqa: PLR2004 - Monday to Friday
            for number, day in enumerate(_WEEK)
        ],
        "timezone": "UTC",
        "uri": f"{API}/user_availability_schedules/{_TAG}-0000-4000-8000-000000000009",
        "user": _ANYBODY.uri,
    }


_EVENT_TYPES = msgspec.json.encode(
    {
        "collection": [_event_type(each) for each in EVENT_TYPES],
        "pagination": {
            "count": len(EVENT_TYPES),
            "next_page": None,
            "next_page_token": None,
            "previous_page": None,
            "previous_page_token": None,
        },
    }
)
_SCHEDULES = msgspec.json.encode({"collection": [_schedule()]})
