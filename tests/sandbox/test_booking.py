"""`POST /invitees`: the Scheduling API."""

from typing import Any

import pytest

from tests.sandbox.client import Account, Sandbox, tail


async def request_for(sandbox: Sandbox, who: Account, **changes: Any) -> dict[str, Any]:
    """A good booking request for the next open slot of the 30-minute type."""
    uri = await sandbox.event_type(who.email, "30 Minute Meeting")
    return {
        "event_type": uri,
        "start_time": (await sandbox.slots(uri))[0],
        "invitee": {
            "name": "John Smith",
            "email": "john@example.net",
            "timezone": "America/New_York",
        },
        "questions_and_answers": [{"question": "Company", "answer": "ACME", "position": 1}],
    } | changes


async def test_a_booking_is_answered_with_its_invitee(sandbox: Sandbox) -> None:
    """201 gives the invitee; the event it belongs to is readable immediately."""
    ada = await sandbox.grant()
    wanted = await request_for(sandbox, ada, event_guests=["guest@example.net"])
    answer = await sandbox.post(ada, "/invitees", wanted)
    invitee = answer.json()["resource"]
    event = (await sandbox.get(ada, f"/scheduled_events/{tail(invitee['event'])}")).json()
    listed = await sandbox.get(ada, f"/scheduled_events/{tail(invitee['event'])}/invitees")
    read = await sandbox.get(
        ada, f"/scheduled_events/{tail(invitee['event'])}/invitees/{tail(invitee['uri'])}"
    )

    assert answer.status_code == 201
    assert invitee["scheduling_method"] == "api"
    assert invitee["questions_and_answers"] == wanted["questions_and_answers"]
    assert event["resource"]["start_time"] == wanted["start_time"]
    assert [g["email"] for g in event["resource"]["event_guests"]] == ["guest@example.net"]
    assert event["resource"]["location"]["type"] == "google_conference"
    assert listed.json()["collection"] == [invitee]
    assert read.json()["resource"] == invitee


@pytest.mark.parametrize("status", [400, 404])
async def test_a_taken_slot_is_already_filled(sandbox: Sandbox, status: int) -> None:
    """The same booking sent twice books once; the second is refused with already_filled."""
    await sandbox.control("PATCH", "/switches", taken_slot_status=status)
    ada = await sandbox.grant()
    wanted = await request_for(sandbox, ada)
    first = await sandbox.post(ada, "/invitees", wanted)
    second = await sandbox.post(ada, "/invitees", wanted)

    assert first.status_code == 201
    assert second.status_code == status
    assert [d["code"] for d in second.json()["details"]] == ["already_filled"]


TRACKING = {
    "utm_campaign": None,
    "utm_source": None,
    "utm_medium": None,
    "utm_content": "ours-1",
    "utm_term": None,
    "salesforce_uuid": None,
}
WHO = {"name": "J", "email": "j@example.net", "timezone": "UTC"}
ANSWER = {"question": "Company", "answer": "ACME", "position": 1}


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"event_type": None}, "event_type"),
        ({"start_time": None}, "start_time"),
        ({"start_time": "soon"}, "start_time"),
        ({"start_time": "2020-01-01T10:00:00Z"}, "start_time"),
        ({"invitee": {**WHO, "email": None}}, "invitee.email"),
        ({"invitee": {**WHO, "email": "nobody"}}, "invitee.email"),
        ({"invitee": {**WHO, "timezone": None}}, "invitee.timezone"),
        ({"invitee": {**WHO, "timezone": "Mars/Olympus"}}, "invitee.timezone"),
        ({"invitee": {**WHO, "name": None}}, "invitee.name"),
        ({"questions_and_answers": []}, "questions_and_answers"),
        ({"questions_and_answers": [{**ANSWER, "question": "company"}]}, "questions_and_answers"),
        ({"questions_and_answers": [{"question": "Company", "answer": "A"}]}, "position"),
        ({"tracking": {"utm_content": "x"}}, "tracking.utm_campaign"),
        ({"tracking": {**TRACKING, "utm_term": "x" * 256}}, "tracking.utm_term"),
        ({"event_guests": [f"{n}@example.net" for n in range(11)]}, "event_guests"),
        ({"location": {"kind": "physical", "location": "here"}}, "location.kind"),
    ],
)
async def test_a_faulty_booking_is_refused_by_name(
    sandbox: Sandbox, changes: dict[str, Any], parameter: str
) -> None:
    """Each missing or wrong field is named in details, and nothing is booked."""
    ada = await sandbox.grant()
    answer = await sandbox.post(ada, "/invitees", await request_for(sandbox, ada, **changes))

    assert answer.status_code == 400
    assert parameter in [d["parameter"] for d in answer.json()["details"]]
    assert (await sandbox.control("GET", "/invitees"))["invitees"] == []


async def test_first_name_will_do_and_tracking_is_kept(sandbox: Sandbox) -> None:
    """A first name replaces the full name, and all six tracking keys come back."""
    ada = await sandbox.grant()
    who = {"first_name": "Jo", "last_name": "Doe", "email": "jo@example.net", "timezone": "UTC"}
    wanted = await request_for(sandbox, ada, invitee=who, tracking=TRACKING)
    invitee = (await sandbox.post(ada, "/invitees", wanted)).json()["resource"]

    assert (invitee["name"], invitee["first_name"]) == ("Jo Doe", "Jo")
    assert invitee["tracking"] == TRACKING


@pytest.mark.parametrize(("plan", "allowed"), [("paid", 10), ("trial", 5)])
async def test_bookings_are_limited_per_plan(sandbox: Sandbox, plan: str, allowed: int) -> None:
    """Ten a minute on a paid plan, five a day on trial; the next is 429."""
    await sandbox.control("PATCH", "/users/ada@example.com", plan=plan)
    ada = await sandbox.grant()
    statuses = [(await sandbox.post(ada, "/invitees", {})).status_code for _ in range(allowed + 1)]
    await sandbox.control("POST", "/clock", move_seconds=61)
    later = (await sandbox.post(ada, "/invitees", {})).status_code

    assert statuses == [400] * allowed + [429]
    assert later == (400 if plan == "paid" else 429)


async def test_the_old_plan_gate_closes_booking_to_the_free_plan(sandbox: Sandbox) -> None:
    """With the old gating Free accounts must upgrade; today they may book."""
    finn = await sandbox.grant("finn@example.com")
    today = await sandbox.post(finn, "/invitees", await request_for(sandbox, finn))
    await sandbox.control("PATCH", "/switches", plan_gating="old")
    once = await sandbox.post(finn, "/invitees", {})

    assert today.status_code == 201
    assert once.status_code == 403
    assert once.json()["message"] == "Please upgrade to a paid Calendly account."
