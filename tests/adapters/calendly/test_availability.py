from datetime import UTC, datetime, timedelta

import httpx
import pytest

from adapters.calendly.availability import CalendlyAvailabilityGateway
from domain.availability import (
    BusyTime,
    EventType,
    Interval,
    Place,
    Profile,
    Question,
    Rule,
    Schedule,
    Slot,
    Window,
)
from domain.errors import CalendarBroken, CalendlyProtocolError
from tests.adapters.calendly.support import (
    ACCESS,
    API_URL,
    Wire,
    answer,
    query,
    refusal,
    resource,
    values_of,
)
from tests.fakes.calendly import bodies

SPAN = Window(datetime(2026, 12, 1, 9, 0, tzinfo=UTC), datetime(2026, 12, 8, 9, 0, tzinfo=UTC))


async def test_all_pages_of_event_types_are_read_inactive_ones_included() -> None:
    """Event types are listed by user, a hundred a page, with no filter on `active`."""
    question = {
        "name": "Company",
        "type": "single_select",
        "position": 1,
        "enabled": True,
        "required": True,
        "answer_choices": ["A", "B"],
        "include_other": False,
    }
    first = question | {"name": "Why?", "type": "text", "position": 0, "answer_choices": None}
    wire = Wire(
        answer(
            200,
            bodies.page(
                bodies.event_type(custom_questions=[question, first]), next_page_token="next-1"
            ),
        ),
        answer(200, bodies.page(bodies.event_type(name=None, active=False, locations=None))),
    )

    listed = await CalendlyAvailabilityGateway(wire.api).event_types(ACCESS, bodies.USER)

    found = values_of(listed)
    expected = EventType(
        uri=bodies.EVENT_TYPE,
        name="30 Minute Meeting",
        active=True,
        duration=30,
        kind="solo",
        scheduling_url="https://calendly.com/ada/30min",
        slug="30min",
        description="Half an hour.",
        color="#fff200",
        location_kinds=("google_conference",),
        questions=(
            Question("Why?", "text", 0, required=True),
            Question("Company", "single_select", 1, required=True, choices=("A", "B")),
        ),
        updated_at=bodies.BOOKED_AT,
        booking_method="instant",
        locale="en",
        profile=Profile("User", "Ada Host", bodies.USER),
        locations=(Place("google_conference"),),
    )
    assert found[0] == expected
    assert (found[1].name, found[1].active, found[1].location_kinds) == ("", False, ())
    asked = {"user": bodies.USER, "count": "100"}
    assert [query(each) for each in wire.requests] == [asked, asked | {"page_token": "next-1"}]


async def test_pages_that_lead_in_a_circle_are_an_error() -> None:
    """A page that names itself as the next one ends the reading, not the service."""
    wire = Wire(by=lambda _: answer(200, bodies.page(next_page_token="again")))

    with pytest.raises(CalendlyProtocolError, match="pages do not end"):
        await CalendlyAvailabilityGateway(wire.api).event_types(ACCESS, bodies.USER)

    assert len(wire.requests) == 2


async def test_the_pages_of_a_list_are_bounded_together() -> None:
    """Large pages, each within its own bound, end the list before it fills the memory."""

    def large(_: httpx.Request) -> httpx.Response:
        page = bodies.page(next_page_token=f"page-{len(wire.requests)}")
        return answer(200, page | {"padding": "x" * (7 * 2**20)})

    wire = Wire(by=large)
    with pytest.raises(CalendlyProtocolError, match="pages do not end"):
        await CalendlyAvailabilityGateway(wire.api).event_types(ACCESS, bodies.USER)

    assert len(wire.requests) == 5


async def test_open_slots_are_asked_for_in_one_piece() -> None:
    """Slots come with their seats; what is not `available` is left out."""
    one = {
        "status": "available",
        "invitees_remaining": 2,
        "start_time": "2026-12-02T20:00:00.000000Z",
        "scheduling_url": "https://calendly.com/ada/30min/slot",
    }
    odd = one | {"start_time": "2026-12-02T22:30:00+01:00", "invitees_remaining": 1}
    gone = one | {"status": "unavailable"}
    wire = Wire(answer(200, {"collection": [one, odd, gone]}))

    slots = values_of(
        await CalendlyAvailabilityGateway(wire.api).available_times(
            ACCESS, bodies.EVENT_TYPE, SPAN
        )
    )

    url = "https://calendly.com/ada/30min/slot"
    assert slots == (
        Slot(datetime(2026, 12, 2, 20, 0, tzinfo=UTC), 2, url),
        Slot(datetime(2026, 12, 2, 21, 30, tzinfo=UTC), 1, url),
    )
    assert slots[1].start.utcoffset() == timedelta(0)
    assert wire.request.url.copy_with(query=None) == f"{API_URL}/event_type_available_times"
    assert query(wire.request) == {
        "event_type": bodies.EVENT_TYPE,
        "start_time": "2026-12-01T09:00:00Z",
        "end_time": "2026-12-08T09:00:00Z",
    }


async def test_busy_times_of_every_kind_are_read() -> None:
    """Calendly's own busy times and other calendars' come alike, without buffers."""
    calendly = {
        "type": "calendly",
        "start_time": "2026-12-02T20:00:00.000000Z",
        "end_time": "2026-12-02T20:30:00.000000Z",
        "buffered_start_time": "2026-12-02T19:30:00.000000Z",
        "buffered_end_time": "2026-12-02T21:00:00.000000Z",
        "event": {"uri": bodies.EVENT},
    }
    external = {
        "type": "external",
        "start_time": "2026-12-03T20:00:00Z",
        "end_time": "2026-12-03T20:30:00Z",
    }
    wire = Wire(answer(200, {"collection": [calendly, external]}))

    busy = await CalendlyAvailabilityGateway(wire.api).busy_times(ACCESS, bodies.USER, SPAN)

    assert values_of(busy) == (
        BusyTime(
            "calendly",
            datetime(2026, 12, 2, 20, 0, tzinfo=UTC),
            datetime(2026, 12, 2, 20, 30, tzinfo=UTC),
        ),
        BusyTime(
            "external",
            datetime(2026, 12, 3, 20, 0, tzinfo=UTC),
            datetime(2026, 12, 3, 20, 30, tzinfo=UTC),
        ),
    )
    assert wire.request.url.path == "/user_busy_times"
    assert query(wire.request) == {
        "user": bodies.USER,
        "start_time": "2026-12-01T09:00:00Z",
        "end_time": "2026-12-08T09:00:00Z",
    }


async def test_a_broken_calendar_is_reported() -> None:
    """A 424 is the host's calendar connection, not an outage."""
    wire = Wire(refusal(424, "External Calendar Error"))

    with pytest.raises(CalendarBroken):
        await CalendlyAvailabilityGateway(wire.api).busy_times(ACCESS, bodies.USER, SPAN)


async def test_schedules_keep_their_local_hours() -> None:
    """Rules of weekdays and dates keep `hh:mm` in the schedule's timezone."""
    uri = f"{bodies.API}/user_availability_schedule/abc123"
    schedule = {
        "uri": uri,
        "default": True,
        "name": "Working hours",
        "user": bodies.USER,
        "timezone": "America/New_York",
        "rules": [
            {
                "type": "wday",
                "wday": "monday",
                "intervals": [{"from": "08:30", "to": "17:00"}],
            },
            {"type": "date", "date": "2028-12-31", "intervals": []},
        ],
    }
    wire = Wire(answer(200, {"collection": [schedule]}))

    found = await CalendlyAvailabilityGateway(wire.api).schedules(ACCESS, bodies.USER)

    assert values_of(found) == (
        Schedule(
            uri=uri,
            name="Working hours",
            default=True,
            timezone="America/New_York",
            rules=(
                Rule("wday", "monday", (Interval("08:30", "17:00"),)),
                Rule("date", "2028-12-31", ()),
            ),
        ),
    )
    assert (wire.request.url.path, query(wire.request)) == (
        "/user_availability_schedules",
        {"user": bodies.USER},
    )


async def test_one_schedule_is_read_at_its_real_place() -> None:
    """Calendly's example URI says `schedule`, its documented path `schedules`: both lead there."""
    body = {"uri": f"{bodies.API}/user_availability_schedule/abc123", "timezone": "Europe/Zurich"}
    wire = Wire(resource(body), resource(body))
    gateway = CalendlyAvailabilityGateway(wire.api)

    for name in ("user_availability_schedule", "user_availability_schedules"):
        found = await gateway.schedule(ACCESS, f"{bodies.API}/{name}/abc123")

        assert found.timezone == "Europe/Zurich"
    paths = {each.url.path for each in wire.requests}
    assert paths == {"/user_availability_schedules/abc123"}
