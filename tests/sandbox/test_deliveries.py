"""Signed deliveries: content, receiver and order."""

import pytest

from tests.sandbox.client import Sandbox, tail
from tests.sandbox.hooks import MEETING, book, presented, signature_of
from tests.sandbox.receiver import Receiver


async def test_a_booking_is_delivered_signed_over_its_raw_bytes(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """The HMAC of `t.body` with the app's key is the v1 of the header; t is now."""
    ada = await sandbox.grant()
    await sandbox.subscribe(ada, receiver.url)
    made = await book(sandbox)
    [request] = await receiver.wait(1)
    now = (await sandbox.control("GET", "/clock"))["now"]

    assert presented(request)["v1"] == signature_of(request, "sandbox-signing-key")
    assert request.headers["content-type"] == "application/json"
    assert request.json["event"] == "invitee.created"
    assert request.json["created_by"] == ada.uri
    assert request.json["created_at"].endswith(".000000Z")
    assert request.json["payload"] == made
    assert request.json["created_at"][:16] <= now[:16]


async def test_a_subscription_key_can_sign_instead(sandbox: Sandbox, receiver: Receiver) -> None:
    """A switch says whether the app's key or the key of the request signs."""
    ada = await sandbox.grant()
    body = {
        "url": receiver.url,
        "events": ["invitee.created"],
        "organization": ada.organization,
        "user": ada.uri,
        "scope": "user",
        "signing_key": "own",
    }
    await sandbox.post(ada, "/webhook_subscriptions", body)
    await book(sandbox)
    await receiver.wait(1)
    await sandbox.control("PATCH", "/switches", hook_signing_key="subscription")
    await book(sandbox)
    first, second = await receiver.wait(2)

    assert presented(first)["v1"] == signature_of(first, "sandbox-signing-key")
    assert presented(second)["v1"] == signature_of(second, "own")


async def test_only_wanted_events_of_the_right_people_are_sent(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """A user hook hears of its user, an organization hook of every member."""
    ada, grace = await sandbox.grant(), await sandbox.grant("grace@example.com")
    await sandbox.subscribe(grace, receiver.url + "/grace", "invitee.created")
    whole = {
        "url": receiver.url + "/all",
        "events": ["invitee.canceled"],
        "organization": ada.organization,
        "scope": "organization",
    }
    await sandbox.post(ada, "/webhook_subscriptions", whole)
    made = await book(sandbox)
    await sandbox.book(await sandbox.event_type("grace@example.com", MEETING))
    await sandbox.control("POST", f"/invitees/{tail(made['uri'])}/cancel", reason="Ill")
    await sandbox.control("POST", "/deliveries/flush")

    heard = {(r.path, r.json["event"]) for r in receiver.received}
    assert heard == {("/hook/grace", "invitee.created"), ("/hook/all", "invitee.canceled")}


async def test_a_reschedule_is_two_deliveries_linked_both_ways(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """The old invitee is canceled and rescheduled, the new one has a new event."""
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    old = await book(sandbox)
    await receiver.wait(1)
    new = await sandbox.control("POST", f"/invitees/{tail(old['uri'])}/reschedule", reason="r")
    received = (await receiver.wait(3))[1:]
    canceled, created = sorted((r.json for r in received), key=lambda b: b["event"])

    assert (canceled["event"], created["event"]) == ("invitee.canceled", "invitee.created")
    was, became = canceled["payload"], created["payload"]
    assert (was["uri"], was["status"], was["rescheduled"]) == (old["uri"], "canceled", True)
    assert (was["new_invitee"], was["old_invitee"]) == (new["uri"], None)
    assert (became["uri"], became["status"]) == (new["uri"], "active")
    assert (became["old_invitee"], became["new_invitee"]) == (old["uri"], None)
    assert became["rescheduled"] is False
    assert became["event"] != was["event"]
    assert was["scheduled_event"]["status"] == "canceled"
    assert was["cancellation"]["canceler_type"] == "invitee"


async def test_both_events_of_a_reschedule_share_the_calendar_entry(sandbox: Sandbox) -> None:
    """The API shows one external id on the old event and on the new one."""
    ada = await sandbox.grant()
    old = await book(sandbox)
    new = await sandbox.control("POST", f"/invitees/{tail(old['uri'])}/reschedule")
    entries = [
        (await sandbox.get(ada, f"/scheduled_events/{tail(made['event'])}")).json()["resource"][
            "calendar_event"
        ]
        for made in (old, new)
    ]

    assert entries[0] == entries[1]
    assert entries[0]["kind"] == "google"


@pytest.mark.parametrize(
    ("order", "events"),
    [
        ("canceled_first", ["invitee.canceled", "invitee.created"]),
        ("created_first", ["invitee.created", "invitee.canceled"]),
    ],
)
async def test_the_pair_can_leave_in_either_order(
    sandbox: Sandbox, receiver: Receiver, order: str, events: list[str]
) -> None:
    """A switch orders the two deliveries of a reschedule."""
    await sandbox.control("PATCH", "/switches", reschedule_order=order)
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    old = await book(sandbox)
    await receiver.wait(1)
    await sandbox.control("POST", "/deliveries/pause")
    await sandbox.control("POST", f"/invitees/{tail(old['uri'])}/reschedule")
    waiting = (await sandbox.control("GET", "/deliveries?state=pending"))["deliveries"]

    assert [d["event"] for d in waiting[::-1]] == events


async def test_a_chain_of_reschedules_links_each_invitee(sandbox: Sandbox) -> None:
    """The invitee in the middle has both an old and a new one."""
    first = await book(sandbox)
    second = await sandbox.control("POST", f"/invitees/{tail(first['uri'])}/reschedule")
    third = await sandbox.control("POST", f"/invitees/{tail(second['uri'])}/reschedule")
    [middle] = [
        i
        for i in (await sandbox.control("GET", "/invitees"))["invitees"]
        if i["uri"] == second["uri"]
    ]

    assert (middle["old_invitee"], middle["new_invitee"]) == (first["uri"], third["uri"])


async def test_no_shows_are_announced_and_taken_back(sandbox: Sandbox, receiver: Receiver) -> None:
    """`.created` carries the mark; `.deleted` leaves the key out, as the sample does."""
    ada = await sandbox.grant()
    events = ("invitee_no_show.created", "invitee_no_show.deleted")
    await sandbox.subscribe(ada, receiver.url, *events)
    made = await book(sandbox)
    marked = await sandbox.control("POST", f"/invitees/{tail(made['uri'])}/no-show")
    await receiver.wait(1)
    await sandbox.control("DELETE", f"/invitees/{tail(made['uri'])}/no-show")
    created, deleted = await receiver.wait(2)

    assert (created.json["event"], deleted.json["event"]) == events
    assert created.json["payload"]["no_show"] == marked["no_show"]
    assert "no_show" not in deleted.json["payload"]


async def test_event_types_are_announced(sandbox: Sandbox, receiver: Receiver) -> None:
    """Adding, changing and deleting one sends its whole body each time."""
    ada = await sandbox.grant()
    events = [f"event_type.{what}" for what in ("created", "updated", "deleted")]
    await sandbox.subscribe(ada, receiver.url, *events)
    added = await sandbox.control("POST", "/users/ada@example.com/event-types", name="Chat")
    await receiver.wait(1)
    await sandbox.control("PATCH", f"/event-types/{tail(added['uri'])}", name="Talk")
    await receiver.wait(2)
    await sandbox.control("DELETE", f"/event-types/{tail(added['uri'])}")
    received = await receiver.wait(3)

    assert [r.json["event"] for r in received] == events
    assert [r.json["payload"]["name"] for r in received] == ["Chat", "Talk", "Talk"]
    assert received[2].json["payload"]["deleted_at"] is not None


@pytest.mark.parametrize(("fan_out", "count"), [("each", 3), ("first", 1)])
async def test_a_host_cancel_tells_of_each_invitee(
    sandbox: Sandbox, receiver: Receiver, fan_out: str, count: int
) -> None:
    """One invitee.canceled per active invitee of a group event, or one in all by switch."""
    await sandbox.control("PATCH", "/switches", group_cancel_fan_out=fan_out)
    await sandbox.subscribe(await sandbox.grant(), receiver.url, "invitee.canceled")
    uri = await sandbox.event_type("ada@example.com", "Group Workshop")
    [start, *_] = await sandbox.slots(uri)
    for number in range(3):
        made = await sandbox.book(uri, start_time=start, email=f"i{number}@example.net")
    await sandbox.control("POST", f"/scheduled-events/{tail(made['event'])}/cancel")
    await sandbox.control("POST", "/deliveries/flush")

    assert len(receiver.received) == count
    assert {r.json["payload"]["cancellation"]["canceler_type"] for r in receiver.received} == {
        "host"
    }
    assert len({r.json["payload"]["uri"] for r in receiver.received}) == count
