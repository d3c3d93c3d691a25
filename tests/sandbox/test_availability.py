"""Event types, open slots, busy times and schedules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.client import Sandbox, soon, tail

SLOTS = "/event_type_available_times"
MONDAY = "2026-12-07"


async def test_slots_lie_in_weekday_hours_of_the_schedule(sandbox: Sandbox) -> None:
    """Thirty-one days of slots are all weekday 9 to 17 in the host's zone, ascending."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    answer = await sandbox.get(
        ada, SLOTS, event_type=uri, start_time=soon(), end_time=soon(days=30)
    )
    body = answer.json()
    starts = [datetime.fromisoformat(s["start_time"]) for s in body["collection"]]
    local = [s.astimezone(ZoneInfo("Europe/Berlin")) for s in starts]

    assert set(body) == {"collection"}
    assert len(starts) > 200
    assert starts == sorted(starts)
    assert all(moment.weekday() < 5 and 9 <= moment.hour < 17 for moment in local)
    assert body["collection"][0]["status"] == "available"
    assert body["collection"][0]["invitees_remaining"] == 1


async def test_a_booked_slot_is_no_longer_open(sandbox: Sandbox) -> None:
    """Booking one type takes the time away from the host's other types as well."""
    thirty = await sandbox.event_type("ada@example.com", "30 Minute Meeting")
    fifteen = await sandbox.event_type("ada@example.com", "15 Minute Meeting")
    [first, *_] = await sandbox.slots(thirty)
    await sandbox.book(thirty, start_time=first)

    assert first not in await sandbox.slots(thirty)
    assert first not in await sandbox.slots(fifteen)


async def test_a_group_slot_stays_open_until_its_seats_are_taken(sandbox: Sandbox) -> None:
    """Each booking takes one of five seats; the sixth finds the slot gone."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "Group Workshop")
    [start, *_] = await sandbox.slots(uri)
    left = []
    for number in range(5):
        found = await sandbox.control("GET", f"/event-types/{tail(uri)}/slots")
        left.append(found["collection"][0]["invitees_remaining"])
        await sandbox.book(uri, start_time=start, email=f"g{number}@example.net")

    assert left == [5, 4, 3, 2, 1]
    assert start not in await sandbox.slots(uri)


@pytest.mark.parametrize(
    ("start", "end", "parameter"),
    [
        (None, timedelta(days=1), "start_time"),
        (timedelta(hours=1), None, "end_time"),
        ("yesterday", timedelta(days=1), "start_time"),
        (timedelta(minutes=-2), timedelta(days=1), "start_time"),
        (timedelta(days=2), timedelta(days=1), "end_time"),
        (timedelta(hours=1), timedelta(days=31, hours=1, seconds=1), "end_time"),
    ],
)
async def test_slot_ranges_are_checked(
    sandbox: Sandbox,
    start: timedelta | str | None,
    end: timedelta | None,
    parameter: str,
) -> None:
    """Both ends are required, the start is not past, and the range is at most 31 days."""
    ada = await sandbox.grant()
    now = datetime.now(UTC)
    asked = {
        name: (now + given).isoformat() if isinstance(given, timedelta) else given
        for name, given in (("start_time", start), ("end_time", end))
        if given is not None
    }
    asked["event_type"] = await sandbox.event_type(ada.email, "30 Minute Meeting")
    answer = await sandbox.get(ada, SLOTS, **asked)

    assert answer.status_code == 400
    assert answer.json()["details"][0]["parameter"] == parameter


async def test_thirty_one_days_are_allowed_for_slots_and_seven_for_busy_times(
    sandbox: Sandbox,
) -> None:
    """Exactly the longest range is answered; a second more of busy times is refused."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    start = datetime.now(UTC) + timedelta(hours=1)
    week, month = start + timedelta(days=7), start + timedelta(days=31)
    slots = await sandbox.get(
        ada,
        SLOTS,
        event_type=uri,
        start_time=start.isoformat(),
        end_time=month.isoformat(),
    )
    busy = [
        await sandbox.get(
            ada,
            "/user_busy_times",
            user=ada.uri,
            start_time=start.isoformat(),
            end_time=(week + timedelta(seconds=extra)).isoformat(),
        )
        for extra in (0, 1)
    ]

    assert slots.status_code == 200
    assert [answer.status_code for answer in busy] == [200, 400]


async def test_busy_times_show_bookings_and_outside_calendars(sandbox: Sandbox) -> None:
    """A booking is `calendly` with its event; other calendars are `external` or `reserved`."""
    await sandbox.control("POST", "/clock", now="2026-12-06T12:00:00Z")
    ada = await sandbox.grant()
    made = await sandbox.book(await sandbox.event_type(ada.email, "15 Minute Meeting"))
    await sandbox.control(
        "POST",
        "/users/ada@example.com/busy",
        start=f"{MONDAY}T20:00:00Z",
        end=f"{MONDAY}T21:00:00Z",
        kind="reserved",
    )
    answer = await sandbox.get(
        ada,
        "/user_busy_times",
        user=ada.uri,
        start_time="2026-12-07T00:00:00Z",
        end_time="2026-12-12T00:00:00Z",
    )
    busy = answer.json()["collection"]
    [booked] = [b for b in busy if b["type"] == "calendly"]

    assert set(answer.json()) == {"collection"}
    assert booked["event"] == {"uri": made["event"]}
    assert {"buffered_start_time", "buffered_end_time"} <= set(booked)
    assert {
        "type": "reserved",
        "start_time": f"{MONDAY}T20:00:00.000000Z",
        "end_time": f"{MONDAY}T21:00:00.000000Z",
    } in busy
    assert [b["start_time"] for b in busy] == sorted(b["start_time"] for b in busy)


async def test_outside_busy_times_close_slots(sandbox: Sandbox) -> None:
    """A time kept busy elsewhere is not offered."""
    uri = await sandbox.event_type("ada@example.com", "15 Minute Meeting")
    [first, *_] = await sandbox.slots(uri)
    end = (datetime.fromisoformat(first) + timedelta(minutes=1)).isoformat()
    await sandbox.control("POST", "/users/ada@example.com/busy", start=first, end=end)

    assert first not in await sandbox.slots(uri)


async def test_a_broken_calendar_can_refuse_slots_too(sandbox: Sandbox) -> None:
    """With its switch on, open slots suffer from a broken calendar as busy times do."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    asked = {"event_type": uri, "start_time": soon(), "end_time": soon(days=1)}
    await sandbox.control("PUT", "/users/ada@example.com/calendar", broken=True)
    spared = await sandbox.get(ada, SLOTS, **asked)
    await sandbox.control("PATCH", "/switches", available_times_need_calendar=True)
    refused = await sandbox.get(ada, SLOTS, **asked)

    assert (spared.status_code, refused.status_code) == (200, 424)


async def test_links_to_what_cannot_be_booked_are_refused(sandbox: Sandbox) -> None:
    """A deleted event type has no links, and an error names the scope that a grant lacks."""
    ada, poor = await sandbox.grant(), await sandbox.grant(scope="event_types:read")
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    body = {"max_event_count": 1, "owner": uri, "owner_type": "EventType"}
    refused = await sandbox.post(poor, "/scheduling_links", body)
    await sandbox.control("DELETE", f"/event-types/{tail(uri)}")
    gone = await sandbox.post(ada, "/scheduling_links", body)

    assert refused.status_code == 403
    assert refused.json()["required_scopes"] == ["scheduling_links:write"]
    assert gone.status_code == 404


async def test_a_broken_calendar_is_424_until_it_is_fixed(sandbox: Sandbox) -> None:
    """Only the busy times suffer from a broken calendar connection."""
    ada = await sandbox.grant()
    asked = {"user": ada.uri, "start_time": soon(), "end_time": soon(days=1)}
    await sandbox.control("PUT", "/users/ada@example.com/calendar", broken=True)
    broken = await sandbox.get(ada, "/user_busy_times", **asked)
    await sandbox.control("PUT", "/users/ada@example.com/calendar", broken=False)
    mended = await sandbox.get(ada, "/user_busy_times", **asked)

    assert broken.status_code == 424
    assert broken.json() == {
        "title": "External Calendar Error",
        "message": "There is a problem accessing your calendar.",
    }
    assert mended.status_code == 200


async def test_schedules_are_weekly_rules_in_the_users_zone(sandbox: Sandbox) -> None:
    """The default schedule opens weekdays 09:00-17:00 and closes the weekend."""
    ada = await sandbox.grant()
    listed = await sandbox.get(ada, "/user_availability_schedules", user=ada.uri)
    [schedule] = listed.json()["collection"]
    read = await sandbox.get(ada, f"/user_availability_schedules/{tail(schedule['uri'])}")

    assert set(listed.json()) == {"collection"}
    assert read.json()["resource"] == schedule
    assert schedule["timezone"] == "Europe/Berlin"
    hours = {rule["wday"]: rule["intervals"] for rule in schedule["rules"]}
    assert hours["monday"] == [{"from": "09:00", "to": "17:00"}]
    assert hours["sunday"] == []


async def test_either_page_of_the_scope_conflict_can_be_true(sandbox: Sandbox) -> None:
    """A switch says whether open slots need availability:read or event_types:read."""
    uri = await sandbox.event_type("ada@example.com", "30 Minute Meeting")
    asked = {"event_type": uri, "start_time": soon(), "end_time": soon(days=1)}
    ada = await sandbox.grant(scope="event_types:read")
    strict = await sandbox.get(ada, SLOTS, **asked)
    await sandbox.control("PATCH", "/switches", available_times_scope="event_types:read")
    loose = await sandbox.get(ada, SLOTS, **asked)

    assert strict.json()["required_scopes"] == ["availability:read"]
    assert loose.status_code == 200


async def test_inactive_types_are_listed_apart_and_have_no_slots(sandbox: Sandbox) -> None:
    """`active` filters; a deactivated type offers nothing; a deleted one stays readable."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    await sandbox.control("PATCH", f"/event-types/{tail(uri)}", active=False)
    on = (await sandbox.get(ada, "/event_types", user=ada.uri, active="true")).json()
    off = (await sandbox.get(ada, "/event_types", user=ada.uri, active="false")).json()
    slots = await sandbox.get(ada, SLOTS, event_type=uri, start_time=soon(), end_time=soon(days=7))
    await sandbox.control("DELETE", f"/event-types/{tail(uri)}")
    gone = (await sandbox.get(ada, f"/event_types/{tail(uri)}")).json()["resource"]
    listed = (await sandbox.get(ada, "/event_types", user=ada.uri)).json()["collection"]

    assert uri not in [e["uri"] for e in on["collection"]]
    assert [e["uri"] for e in off["collection"]] == [uri]
    assert slots.json() == {"collection": []}
    assert gone["deleted_at"] is not None
    assert uri not in [e["uri"] for e in listed]


async def test_single_use_links_are_made_for_event_types(sandbox: Sandbox) -> None:
    """A link is good for exactly one booking, and no two are the same."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "30 Minute Meeting")
    body = {"max_event_count": 1, "owner": uri, "owner_type": "EventType"}
    made = await sandbox.post(ada, "/scheduling_links", body)
    second = await sandbox.post(ada, "/scheduling_links", body)
    many = await sandbox.post(ada, "/scheduling_links", body | {"max_event_count": 2})

    assert made.status_code == 201
    resource = made.json()["resource"]
    assert resource["booking_url"].startswith("https://calendly.com/d/")
    assert (resource["owner"], resource["owner_type"]) == (uri, "EventType")
    assert second.json()["resource"]["booking_url"] != resource["booking_url"]
    assert many.status_code == 400
