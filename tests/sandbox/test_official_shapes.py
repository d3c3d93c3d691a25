"""The sandbox's answers held against Calendly's own OpenAPI and sample webhooks.

The OpenAPI is of 2022: it knows fewer webhook events and kinds of busy time, and an event type's
`kind_description`, which is gone. Those are set right below; all else must fit as it is.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.sandbox.client import Sandbox, soon, tail
from tests.sandbox.receiver import Receiver

Check = Callable[[str, Any], None]


def with_nulls(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` as JSON Schema understands it."""
    if isinstance(node, list):
        return [with_nulls(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: with_nulls(value) for key, value in node.items()}
    if node.pop("nullable", False) is True:
        return {"anyOf": [node, {"type": "null"}]}
    return node


@pytest.fixture(scope="session")
def official(openapi: dict[str, Any]) -> Check:
    """Holds a resource against a component schema of the official OpenAPI."""
    whole = with_nulls(openapi)
    events = whole["components"]["schemas"]["WebhookSubscription"]["properties"]["events"]
    events["items"]["enum"] += ["invitee_no_show.created", "invitee_no_show.deleted"]
    whole["components"]["schemas"]["EventType"]["required"].remove("kind_description")
    busy = whole["components"]["schemas"]["UserBusyTime"]["properties"]["type"]
    busy["enum"].append("reserved")

    def check(name: str, resource: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": whole["components"]}
        validator = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.FormatChecker()
        )
        assert [error.message for error in validator.iter_errors(resource)] == []

    return check


async def test_resources_satisfy_the_official_schemas(sandbox: Sandbox, official: Check) -> None:
    """User, event types, slots, schedules, memberships, organization."""
    ada = await sandbox.grant()
    times = {"start_time": soon(), "end_time": soon(days=6)}
    thirty = await sandbox.event_type(ada.email, "30 Minute Meeting")
    await sandbox.book(thirty)
    organization = f"/organizations/{tail(ada.organization)}"
    lists = {
        "EventType": ("/event_types", {"user": ada.uri}),
        "AvailabilitySchedule": ("/user_availability_schedules", {"user": ada.uri}),
        "EventTypeAvailableTime": ("/event_type_available_times", {"event_type": thirty, **times}),
        "UserBusyTime": ("/user_busy_times", {"user": ada.uri, **times}),
        "OrganizationMembership": ("/organization_memberships", {"user": ada.uri}),
        "Event": ("/scheduled_events", {"user": ada.uri}),
    }

    official("User", (await sandbox.get(ada, "/users/me")).json()["resource"])
    official("Organization", (await sandbox.get(ada, organization)).json()["resource"])
    for name, (path, params) in lists.items():
        body = (await sandbox.get(ada, path, **params)).json()
        assert body["collection"], name
        for row in body["collection"]:
            official(name, row)
        if "pagination" in body:
            official("Pagination", body["pagination"])


async def test_bookings_satisfy_the_official_schemas(sandbox: Sandbox, official: Check) -> None:
    """Events and invitees of solo and group types, active, canceled, marked."""
    ada = await sandbox.grant()
    for name in ("30 Minute Meeting", "15 Minute Meeting", "Group Workshop"):
        made = await sandbox.book(await sandbox.event_type(ada.email, name))
        event_path = f"/scheduled_events/{tail(made['event'])}"
        invitee_path = f"{event_path}/invitees/{tail(made['uri'])}"
        mark = await sandbox.post(ada, "/invitee_no_shows", {"invitee": made["uri"]})
        official("InviteeNoShow", mark.json()["resource"])
        official("Invitee", (await sandbox.get(ada, invitee_path)).json()["resource"])
        canceled = await sandbox.post(ada, f"{event_path}/cancellation", {})
        official("Cancellation", canceled.json()["resource"])
        official("Invitee", (await sandbox.get(ada, invitee_path)).json()["resource"])
        official("Event", (await sandbox.get(ada, event_path)).json()["resource"])


async def test_subscriptions_satisfy_the_official_schema(
    sandbox: Sandbox, official: Check
) -> None:
    """With the events of today."""
    ada = await sandbox.grant()
    events = ("invitee.created", "invitee.canceled", "invitee_no_show.created")
    made = await sandbox.subscribe(ada, "https://hooks.example/a", *events)

    official("WebhookSubscription", made)


async def test_errors_satisfy_the_official_schema(sandbox: Sandbox, official: Check) -> None:
    """400, 401, 403, 404 and 409 alike."""
    ada = await sandbox.grant()
    finn = await sandbox.grant("finn@example.com")
    await sandbox.subscribe(ada, "https://hooks.example/a")
    hook = {
        "url": "https://hooks.example/a",
        "events": ["invitee.created"],
        "organization": ada.organization,
        "user": ada.uri,
        "scope": "user",
    }
    answers = [
        await sandbox.get(ada, "/event_types"),
        await sandbox.http.get("/users/me"),
        await sandbox.get(finn, "/event_types", user=ada.uri),
        await sandbox.get(ada, "/event_types/unknown"),
        await sandbox.post(ada, "/webhook_subscriptions", hook),
    ]

    assert [a.status_code for a in answers] == [400, 401, 403, 404, 409]
    for answer in answers:
        official("ErrorResponse", answer.json())


def sample(papers: Path, name: str) -> dict[str, Any]:
    """One of Calendly's own webhook bodies."""
    found: dict[str, Any] = json.loads((papers / "samples" / f"{name}.json").read_text())
    return found


def missing_keys(expected: Any, actual: Any, place: str = "$") -> list[str]:
    """Keys that the sample has and we have not, at every depth of objects."""
    if not isinstance(expected, dict):
        return []
    if not isinstance(actual, dict):
        return [place]
    gone = [f"{place}.{key}" for key in expected if key not in actual]
    shared = expected.keys() & actual.keys()
    return gone + [m for k in shared for m in missing_keys(expected[k], actual[k], f"{place}.{k}")]


async def test_deliveries_have_every_key_of_the_samples(
    sandbox: Sandbox, receiver: Receiver, papers: Path
) -> None:
    """Invitee and no-show webhooks lack nothing that Calendly's samples have."""
    ada = await sandbox.grant()
    names = ("invitee.created", "invitee_no_show.created", "invitee_no_show.deleted")
    await sandbox.subscribe(ada, receiver.url, *names, "invitee.canceled")
    made = await sandbox.book(await sandbox.event_type(ada.email, "Group Workshop"))
    path = f"/invitees/{tail(made['uri'])}"
    await sandbox.control("POST", f"{path}/no-show")
    await sandbox.control("DELETE", f"{path}/no-show")
    await sandbox.control("POST", f"{path}/cancel", reason="Meeting Conflict")
    received = {r.json["event"]: r.json for r in await receiver.wait(4)}

    for name in (*names, "invitee.canceled"):
        expected = sample(papers, name.replace(".", "_"))
        assert missing_keys(expected, received[name]) == [], name
        assert ("no_show" in received[name]["payload"]) is (name != "invitee_no_show.deleted")


async def test_a_reschedule_has_every_key_of_the_constructed_pair(
    sandbox: Sandbox, receiver: Receiver, papers: Path
) -> None:
    """Both deliveries, with what is null and what is linked as in the pair."""
    await sandbox.subscribe(await sandbox.grant(), receiver.url)
    old = await sandbox.book(await sandbox.event_type("ada@example.com", "30 Minute Meeting"))
    await receiver.wait(1)
    await sandbox.control("POST", f"/invitees/{tail(old['uri'])}/reschedule", reason="Busy")
    pair = {r.json["event"]: r.json for r in (await receiver.wait(3))[1:]}
    constructed = sample(papers, "reschedule_two_deliveries_constructed")["deliveries"]

    for expected in constructed:
        actual = pair[expected["event"]]
        assert missing_keys(expected, actual) == []
        for key in ("status", "rescheduled"):
            assert actual["payload"][key] == expected["payload"][key]
        for key in ("old_invitee", "new_invitee"):
            assert (actual["payload"][key] is None) is (expected["payload"][key] is None)


async def test_event_type_webhooks_have_every_key_of_the_sample(
    sandbox: Sandbox, receiver: Receiver, papers: Path
) -> None:
    """The payload is the event type itself."""
    await sandbox.subscribe(await sandbox.grant(), receiver.url, "event_type.created")
    await sandbox.control("POST", "/users/ada@example.com/event-types", name="Chat")
    [request] = await receiver.wait(1)

    expected = sample(papers, "event_type_webhook_payload_standard_event_type")
    assert missing_keys(expected, request.json) == []
