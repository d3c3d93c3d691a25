"""Webhook subscriptions: the events, the permissions and the limits."""

from typing import Any

import pytest

from tests.sandbox.client import Account, Sandbox, tail

PATH = "/webhook_subscriptions"


def wanted(who: Account, **changes: Any) -> dict[str, Any]:
    """A good request for the account's own hook."""
    return {
        "url": "https://hooks.example/a",
        "events": ["invitee.created", "invitee.canceled"],
        "organization": who.organization,
        "user": who.uri,
        "scope": "user",
    } | changes


async def test_a_subscription_is_made_read_listed_and_deleted(sandbox: Sandbox) -> None:
    """201, 200, one row in the list of its scope, 204, then 404."""
    ada = await sandbox.grant()
    made = await sandbox.post(ada, PATH, wanted(ada, signing_key="own-key"))
    resource = made.json()["resource"]
    path = f"{PATH}/{tail(resource['uri'])}"
    read = await sandbox.get(ada, path)
    asked = {"organization": ada.organization, "scope": "user", "user": ada.uri}
    listed = await sandbox.get(ada, PATH, **asked)
    removed = await sandbox.delete(ada, path)
    gone = await sandbox.get(ada, path)

    assert made.status_code == 201
    assert resource["callback_url"] == "https://hooks.example/a"
    assert (resource["state"], resource["retry_started_at"]) == ("active", None)
    assert (resource["creator"], resource["user"]) == (ada.uri, ada.uri)
    assert "own-key" not in made.text
    assert read.json() == made.json()
    assert listed.json()["collection"] == [resource]
    assert (removed.status_code, gone.status_code) == (204, 404)


async def test_the_same_url_twice_is_409(sandbox: Sandbox) -> None:
    """The exact URL string is taken, for another user of the app as well."""
    ada, finn = await sandbox.grant(), await sandbox.grant("finn@example.com")
    await sandbox.post(ada, PATH, wanted(ada))
    again = await sandbox.post(finn, PATH, wanted(finn))
    other = await sandbox.post(ada, PATH, wanted(ada, url="https://hooks.example/a/"))

    assert again.status_code == 409
    assert again.json() == {
        "title": "Already Exists",
        "message": "Hook with this url already exists",
    }
    assert other.status_code == 201


@pytest.mark.parametrize(("per", "status"), [("organization", 201), ("user", 201), ("app", 409)])
async def test_uniqueness_can_be_narrower(sandbox: Sandbox, per: str, status: int) -> None:
    """A switch lets users of different organizations share a URL."""
    await sandbox.control("PATCH", "/switches", hook_url_unique_per=per)
    ada, finn = await sandbox.grant(), await sandbox.grant("finn@example.com")
    await sandbox.post(ada, PATH, wanted(ada))

    assert (await sandbox.post(finn, PATH, wanted(finn))).status_code == status
    assert (await sandbox.post(ada, PATH, wanted(ada))).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"url": None},
        {"url": "nowhere"},
        {"events": []},
        {"events": ["invitee.created", "invitee.created"]},
        {"events": ["invitee.moved"]},
        {"events": ["routing_form_submission.created"]},
        {"organization": None},
        {"organization": "abc"},
        {"scope": None},
        {"scope": "galaxy"},
        {"user": None},
        {"user": "abc"},
    ],
)
async def test_a_faulty_request_is_400(sandbox: Sandbox, changes: dict[str, Any]) -> None:
    """Required fields must be present, events must be known and allowed in the scope."""
    ada = await sandbox.grant()

    answer = await sandbox.post(ada, PATH, wanted(ada, **changes))
    assert answer.status_code == 400
    assert answer.json()["title"] == "Invalid Argument"


async def test_a_missing_read_scope_is_400_a_missing_webhook_scope_403(sandbox: Sandbox) -> None:
    """The event family's read scope is a parameter fault; webhooks:write is a scope fault."""
    deaf = await sandbox.grant(scope="webhooks:write")
    mute = await sandbox.grant(scope="scheduled_events:read webhooks:read")
    unread = await sandbox.post(deaf, PATH, wanted(deaf))
    unwritten = await sandbox.post(mute, PATH, wanted(mute))

    assert unread.status_code == 400
    assert unread.json()["message"] == "The supplied parameters are invalid."
    assert unwritten.status_code == 403
    assert unwritten.json()["required_scopes"] == ["webhooks:write"]


async def test_organization_hooks_need_an_owner_and_user_hooks_oneself(sandbox: Sandbox) -> None:
    """A member may subscribe for themselves alone; no user may for another user's organization."""
    ada, grace = await sandbox.grant(), await sandbox.grant("grace@example.com")
    finn = await sandbox.grant("finn@example.com")
    whole = {"scope": "organization", "user": None}
    answers = {
        "owner, organization": wanted(ada, url="https://h.example/1", **whole),
        "member, organization": wanted(grace, url="https://h.example/2", **whole),
        "member, oneself": wanted(grace, url="https://h.example/3"),
        "owner, a member": wanted(ada, url="https://h.example/4", user=grace.uri),
        "stranger": wanted(ada, url="https://h.example/5", organization=finn.organization),
    }
    callers = {"owner": ada, "member": grace, "stranger": ada}
    statuses = {
        case: (await sandbox.post(callers[case.split(",")[0]], PATH, body)).status_code
        for case, body in answers.items()
    }

    assert statuses == {
        "owner, organization": 201,
        "member, organization": 403,
        "member, oneself": 201,
        "owner, a member": 403,
        "stranger": 403,
    }


async def test_a_list_can_lag_behind_a_creation(sandbox: Sandbox) -> None:
    """With the switch a fresh subscription is readable before it is listed."""
    await sandbox.control("PATCH", "/switches", hook_list_lag=30)
    ada = await sandbox.grant()
    made = (await sandbox.post(ada, PATH, wanted(ada))).json()["resource"]
    asked = {"organization": ada.organization, "scope": "user", "user": ada.uri}
    early = await sandbox.get(ada, PATH, **asked)
    read = await sandbox.get(ada, f"{PATH}/{tail(made['uri'])}")
    await sandbox.control("POST", "/clock", move_seconds=31)
    late = await sandbox.get(ada, PATH, **asked)

    assert early.json()["collection"] == []
    assert read.status_code == 200
    assert late.json()["collection"] == [made]


async def test_the_old_plan_gate_closes_webhooks_to_the_free_plan(sandbox: Sandbox) -> None:
    """Today a Free account subscribes; before November 2026 it had to upgrade."""
    finn = await sandbox.grant("finn@example.com")
    today = await sandbox.post(finn, PATH, wanted(finn))
    await sandbox.control("PATCH", "/switches", plan_gating="old")
    once = await sandbox.post(finn, PATH, wanted(finn, url="https://hooks.example/b"))

    assert today.status_code == 201
    assert once.json() == {
        "title": "Permission Denied",
        "message": "Please upgrade to a paid Calendly account.",
    }


@pytest.mark.parametrize(
    "event",
    ["invitee.created", "invitee.canceled", "invitee_no_show.created", "event_type.created"],
)
async def test_sample_data_is_a_bare_payload(sandbox: Sandbox, event: str) -> None:
    """/sample_webhook_data answers an envelope without `resource`, and books nothing."""
    ada = await sandbox.grant()
    asked = {"organization": ada.organization, "scope": "user", "user": ada.uri}
    body = (await sandbox.get(ada, "/sample_webhook_data", event=event, **asked)).json()

    assert body["event"] == event
    assert body["created_by"] == ada.uri
    assert set(body) == {"event", "created_at", "created_by", "payload"}
    assert (await sandbox.control("GET", "/invitees"))["invitees"] == []
