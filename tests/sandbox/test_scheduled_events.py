"""Scheduled events: found, viewed, canceled, and their invitees marked as no-shows."""

import pytest

from tests.sandbox.client import Sandbox, soon, tail


async def test_events_are_found_by_invitee_status_and_time(sandbox: Sandbox) -> None:
    """The filters by which a lost booking is looked up narrow the list."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "15 Minute Meeting")
    one = await sandbox.book(uri, email="one@example.net")
    two = await sandbox.book(uri, email="two@example.net")
    await sandbox.control("POST", f"/invitees/{tail(two['uri'])}/cancel")

    async def found(**filters: str) -> list[str]:
        answer = await sandbox.get(ada, "/scheduled_events", user=ada.uri, **filters)
        return [event["uri"] for event in answer.json()["collection"]]

    start = one["scheduled_event"]["start_time"]
    assert await found(invitee_email="one@example.net") == [one["event"]]
    assert await found(status="canceled") == [two["event"]]
    assert await found(min_start_time=start, max_start_time=start) == [one["event"]]
    assert await found(max_start_time=soon()) == []


async def test_another_users_events_need_the_organization_too(sandbox: Sandbox) -> None:
    """An owner must name the organization beside a colleague; a member may not look at all."""
    ada, grace = await sandbox.grant(), await sandbox.grant("grace@example.com")
    alone = await sandbox.get(ada, "/scheduled_events", user=grace.uri)
    both = await sandbox.get(
        ada, "/scheduled_events", user=grace.uri, organization=ada.organization
    )
    member = await sandbox.get(
        grace, "/scheduled_events", user=ada.uri, organization=ada.organization
    )

    assert alone.status_code == 403
    assert alone.json()["message"].startswith("Please also specify organization")
    assert both.status_code == 200
    assert member.status_code == 403


async def test_a_stranger_may_not_view_an_event(sandbox: Sandbox) -> None:
    """Event, invitee list and invitee each refuse in their own words."""
    finn = await sandbox.grant("finn@example.com")
    made = await sandbox.book(await sandbox.event_type("ada@example.com", "15 Minute Meeting"))
    event = f"/scheduled_events/{tail(made['event'])}"
    texts = [
        (await sandbox.get(finn, path)).json()["message"]
        for path in (event, f"{event}/invitees", f"{event}/invitees/{tail(made['uri'])}")
    ]

    assert texts == [
        "You are not allowed to view this event",
        "You are not allowed to view this event",
        "You do not have permission to view this event",
    ]


async def test_the_host_cancels_the_whole_event_once(sandbox: Sandbox) -> None:
    """201 with the cancellation, then 403 Event is already canceled."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "Group Workshop")
    made = await sandbox.book(uri, email="one@example.net")
    start = made["scheduled_event"]["start_time"]
    await sandbox.book(uri, email="two@example.net", start_time=start)
    path = f"/scheduled_events/{tail(made['event'])}"
    first = await sandbox.post(ada, f"{path}/cancellation", {"reason": "Ill"})
    second = await sandbox.post(ada, f"{path}/cancellation", {})
    event = (await sandbox.get(ada, path)).json()["resource"]
    invitees = (await sandbox.get(ada, f"{path}/invitees")).json()["collection"]

    assert first.status_code == 201
    cancellation = first.json()["resource"]
    assert (cancellation["canceler_type"], cancellation["reason"]) == ("host", "Ill")
    assert second.status_code == 403
    assert second.json()["message"] == "Event is already canceled"
    assert event["status"] == "canceled"
    assert event["cancellation"] == cancellation
    assert event["invitees_counter"] == {"total": 2, "active": 0, "limit": 5}
    assert [i["status"] for i in invitees] == ["canceled", "canceled"]


async def test_past_and_foreign_events_cannot_be_canceled(sandbox: Sandbox) -> None:
    """Each refusal has its own documented text."""
    ada, finn = await sandbox.grant(), await sandbox.grant("finn@example.com")
    made = await sandbox.book(await sandbox.event_type(ada.email, "15 Minute Meeting"))
    path = f"/scheduled_events/{tail(made['event'])}/cancellation"
    foreign = await sandbox.post(finn, path, {})
    await sandbox.control("POST", "/clock", now=made["scheduled_event"]["end_time"])
    late = await sandbox.post(await sandbox.grant(), path, {})

    assert foreign.json()["message"] == "You are not allowed to cancel this event"
    assert late.json()["message"] == "Event in the past"
    assert (foreign.status_code, late.status_code) == (403, 403)


async def test_one_of_several_leaves_a_group_event_active(sandbox: Sandbox) -> None:
    """The counter falls with each leaving; the last one to leave cancels the event."""
    ada = await sandbox.grant()
    uri = await sandbox.event_type(ada.email, "Group Workshop")
    one = await sandbox.book(uri, email="one@example.net")
    two = await sandbox.book(
        uri, email="two@example.net", start_time=one["scheduled_event"]["start_time"]
    )
    seen = []
    for invitee in (one, two):
        left = await sandbox.control("POST", f"/invitees/{tail(invitee['uri'])}/cancel")
        event = left["scheduled_event"]
        seen.append((event["status"], event["invitees_counter"]["active"]))

    assert one["event"] == two["event"]
    assert two["scheduled_event"]["invitees_counter"] == {"total": 2, "active": 2, "limit": 5}
    assert seen == [("active", 1), ("canceled", 0)]


async def test_no_shows_are_marked_read_and_unmarked(sandbox: Sandbox) -> None:
    """POST, GET and DELETE of a mark, with 409 for a second one and 404 afterwards."""
    ada = await sandbox.grant()
    made = await sandbox.book(await sandbox.event_type(ada.email, "15 Minute Meeting"))
    marked = await sandbox.post(ada, "/invitee_no_shows", {"invitee": made["uri"]})
    again = await sandbox.post(ada, "/invitee_no_shows", {"invitee": made["uri"]})
    path = f"/invitee_no_shows/{tail(marked.json()['resource']['uri'])}"
    read = await sandbox.get(ada, path)
    removed = await sandbox.delete(ada, path)
    gone = await sandbox.get(ada, path)

    assert marked.status_code == 201
    assert set(marked.json()["resource"]) == {"uri", "invitee", "created_at"}
    assert marked.json()["resource"]["invitee"] == made["uri"]
    assert again.status_code == 409
    assert again.json()["title"] == "Already Exists"
    assert read.json() == marked.json()
    assert (removed.status_code, removed.content) == (204, b"")
    assert gone.status_code == 404


@pytest.mark.parametrize("invitee", ["abc", "https://example.com/x", None])
async def test_a_no_show_needs_an_invitee_uri(sandbox: Sandbox, invitee: str | None) -> None:
    """A bare id, a foreign URI and nothing at all are 400."""
    ada = await sandbox.grant()

    answer = await sandbox.post(ada, "/invitee_no_shows", {"invitee": invitee})
    assert answer.status_code == 400


async def test_a_conference_link_can_come_late(sandbox: Sandbox) -> None:
    """With a delay the join link is null at first and there later, without any webhook."""
    await sandbox.control("PATCH", "/switches", join_url_delay=30)
    ada = await sandbox.grant()
    made = await sandbox.book(await sandbox.event_type(ada.email, "30 Minute Meeting"))
    await sandbox.control("POST", "/clock", move_seconds=31)
    event = (await sandbox.get(ada, f"/scheduled_events/{tail(made['event'])}")).json()

    early, late = made["scheduled_event"]["location"], event["resource"]["location"]
    assert (early["status"], early["join_url"]) == ("initiated", None)
    assert (late["status"], late["join_url"][:20]) == ("pushed", "https://calendly.com")


async def test_ids_can_be_of_the_older_style(sandbox: Sandbox) -> None:
    """A switch gives events and invitees ids of sixteen upper-case letters."""
    await sandbox.control("PATCH", "/switches", id_style="short")
    made = await sandbox.book(await sandbox.event_type("ada@example.com", "15 Minute Meeting"))

    assert tail(made["event"]).isalpha()
    assert tail(made["event"]).isupper()
    assert len(tail(made["uri"])) == 16


async def test_a_reason_can_be_refused(sandbox: Sandbox) -> None:
    """With its switch a cancellation with a reason is 400 and the event stays active."""
    await sandbox.control("PATCH", "/switches", cancel_reason_refused=True)
    ada = await sandbox.grant()
    made = await sandbox.book(await sandbox.event_type(ada.email, "15 Minute Meeting"))
    path = f"/scheduled_events/{tail(made['event'])}"
    refused = await sandbox.post(ada, f"{path}/cancellation", {"reason": "x"})

    assert refused.status_code == 400
    assert (await sandbox.get(ada, path)).json()["resource"]["status"] == "active"
