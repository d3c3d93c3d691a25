"""Example responses from the availability cache, for the OpenAPI document; see `examples`."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from adapters.web.schemas.availability import (
    Availability,
    BusyTime,
    BusyTimes,
    CacheAge,
    EventType,
    EventTypes,
    Interval,
    LocalDay,
    LocalSlot,
    Place,
    Profile,
    Question,
    Rule,
    Schedule,
    Schedules,
    Slot,
)

_API = "https://api.calendly.com"
_SITE = "https://calendly.com/ada"
_NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
_START = datetime(2026, 12, 3, 14, 30, tzinfo=UTC)
_LINK = f"{_SITE}/intro/2026-12-03T14:30:00Z"
_ZONE = ZoneInfo("Europe/Berlin")

_CACHE = CacheAge(
    fetched_at=_NOW - timedelta(seconds=95),
    freshness="fresh",
    stale_at=_NOW + timedelta(minutes=55),
    expires_at=_NOW + timedelta(hours=22, minutes=40),
    invalidated_by=None,
    error_code=None,
)
_EVENT_TYPE = EventType(
    uri=f"{_API}/event_types/4f1d2c3b-5a6e-4b7c-8d9e-0f1a2b3c4d5e",
    name="Intro call",
    active=True,
    duration=30,
    duration_options=(),
    kind="solo",
    scheduling_url=f"{_SITE}/intro",
    slug="intro",
    pooling_type=None,
    booking_method="instant",
    description="A first conversation.",
    color="#0069ff",
    position=0,
    secret=False,
    is_paid=False,
    admin_managed=False,
    locale="en",
    profile=Profile(kind="User", name="Ada Example", owner=f"{_API}/users/AAAAAAAAAAAAAAAA"),
    location_kinds=("google_conference",),
    locations=(Place("google_conference", None, None, None),),
    questions=(
        Question(
            "What shall we talk about?",
            "text",
            0,
            required=False,
            enabled=True,
            choices=(),
            include_other=False,
        ),
    ),
    updated_at=_NOW - timedelta(days=30),
)
EVENT_TYPES = EventTypes(items=(_EVENT_TYPE,), next_cursor=None, cache=_CACHE)
AVAILABILITY = Availability(
    event_type=_EVENT_TYPE,
    start=_NOW,
    end=_NOW + timedelta(days=7),
    covered_until=_NOW + timedelta(days=31),
    timezone=_ZONE.key,
    slots=(Slot(_START, 1, _LINK),),
    days=(
        LocalDay(_START.date(), slots=(LocalSlot(_START, _START.astimezone(_ZONE), 1, _LINK),)),
    ),
    cache=_CACHE,
)
BUSY_TIMES = BusyTimes(
    start=_NOW,
    end=_NOW + timedelta(days=7),
    covered_until=_NOW + timedelta(days=7),
    items=(BusyTime("external", _START, _START + timedelta(minutes=45)),),
    cache=_CACHE,
)
SCHEDULES = Schedules(
    items=(
        Schedule(
            uri=f"{_API}/user_availability_schedules/CCCCCCCCCCCCCCCC",
            name="Working hours",
            default=True,
            timezone=_ZONE.key,
            rules=(
                Rule("wday", "monday", (Interval("09:00", "17:00"),)),
                Rule("date", "2026-12-24", ()),
            ),
        ),
    ),
    cache=_CACHE,
)
