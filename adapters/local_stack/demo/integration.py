"""A user refuses, connects and disconnects an account."""

from typing import Any
from urllib.parse import parse_qs

import httpx

from adapters.local_stack.demo.consent_form import decide
from adapters.local_stack.demo.stage import HOST, Stage, eventually, expect, good

INTEGRATION = "/api/calendly/integration"
CONNECT, CONFIRM = "/api/calendly/connect", "/api/calendly/connect/confirm"


def deny(stage: Stage) -> str:
    page = good(stage.browser.get(f"{stage.addresses.web_url}/demo/connect"))
    answer = decide(stage.browser, page, user=HOST, decision="deny")
    status = stage.api.get(INTEGRATION).status_code
    expect(status == httpx.codes.NOT_FOUND, f"after a refusal the integration answered {status}")
    expect(
        "consent_denied" in str(answer.url) or "refused" in answer.text,
        "the page does not mention the refusal",
    )
    return "refused at the consent page: nothing was connected"


def connect(stage: Stage) -> str:
    handle = _consent(stage, HOST)
    confirmed = good(stage.api.post(CONFIRM, json={"handle": handle})).json()
    seen = stage.get(INTEGRATION)
    expect(seen["status"] == "active", f"the integration is {seen['status']}")
    expect(seen["id"] == confirmed["integration_id"], "another integration was confirmed")
    return f"{confirmed['account']['name']} consented, confirmed; {seen['id']} is active"


def passed_on(stage: Stage) -> str:
    """A user begins a flow, and another person consents to it."""
    sender, other = ({"X-User-Id": each} for each in ("sender", "other"))
    handle = _consent(stage, "grace@example.com", sender)
    answers = [
        stage.api.post(CONFIRM, json={"handle": handle}, headers=each) for each in (other, sender)
    ]
    for each in answers:
        expect(each.status_code == httpx.codes.BAD_REQUEST, f"answered {each.status_code}")
    status = stage.api.get(INTEGRATION, headers=sender).status_code
    expect(status == httpx.codes.NOT_FOUND, f"the sender's integration answered {status}")
    return f"{answers[0].json()['code']} for both users: nothing was connected"


def _consent(stage: Stage, user: str, headers: dict[str, str] | None = None) -> str:
    """Let the browser consent to a flow of the back end; return the handle that it brings."""
    begun = good(stage.api.get(CONNECT, params={"return_to": "/"}, headers=headers)).json()
    page = good(stage.browser.get(begun["authorize_url"]))
    expect("allow" in page.text, "no consent page appeared")
    end = good(decide(stage.browser, page, user=user))
    expect(stage.addresses.web_url in str(end.url), f"the browser ended at {end.url}")
    handles = parse_qs(end.url.query.decode()).get("calendly_handle", [])
    expect(handles, f"the browser brought no handle to {end.url.path}")
    return handles[0]


def onboarded(stage: Stage) -> str:
    """Subscription, first sync and back-fill follow without another request."""
    seen = eventually(lambda: _onboarded(stage), "subscription, first sync and back-fill")
    text = str(seen)
    secrets = stage.control("GET", "/secrets")
    shown = [kind for kind, values in secrets.items() for value in values if value in text]
    expect(not shown or set(shown) <= {"invitee_emails"}, f"the answer shows {shown}")
    return (
        f"webhook {seen['webhook_state']}, token good until {seen['token_expires_at'][:16]}, "
        f"{len(seen['scopes'])} scopes granted, no token in the answer"
    )


def _onboarded(stage: Stage) -> Any:
    seen = stage.get(INTEGRATION)
    done = seen["webhook_state"] == "active" and seen["last_synced_at"] and seen["reconciled_at"]
    return seen if done else None


def disconnect(stage: Stage) -> str:
    answer = good(stage.api.delete(INTEGRATION))
    eventually(
        lambda: stage.api.get(INTEGRATION).status_code == httpx.codes.NOT_FOUND,
        "the integration to be erased",
    )
    again = good(stage.api.delete(INTEGRATION)).status_code
    left = stage.control("GET", "")["subscriptions"]
    expect(left == 0, f"{left} subscriptions are left at Calendly")
    bookings = stage.get("/api/calendly/bookings")["items"]
    expect(not bookings, f"{len(bookings)} bookings are left")
    return f"{answer.status_code}, then gone at both ends; repeated: {again}"
