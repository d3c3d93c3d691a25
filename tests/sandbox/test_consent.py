"""The consent page and the codes it gives out."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.sandbox.client import REDIRECT, SECRET, Sandbox

VERIFIER = "a-verifier-of-enough-length-to-be-one-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
ASKED: dict[str, str] = {
    "client_id": "sandbox-client",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "users:read webhooks:write",
    "state": "st&te",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def answer_of(response: httpx.Response) -> dict[str, str]:
    """The query that a redirect back to the app carries."""
    assert response.status_code == 302, response.text
    assert response.headers["location"].startswith(REDIRECT)
    query = parse_qs(urlsplit(response.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


async def submit(sandbox: Sandbox, **changes: Any) -> httpx.Response:
    """Press a button on the page."""
    form = ASKED | {
        "user": "ada@example.com",
        "granted": ["users:read", "webhooks:write"],
        "decision": "allow",
    }
    return await sandbox.http.post("/oauth/authorize", data=form | changes)


async def trade(sandbox: Sandbox, code: str, **changes: str) -> httpx.Response:
    """Trade a code for tokens."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    return await sandbox.http.post("/oauth/token", data=form | changes, auth=SECRET)


async def test_the_page_offers_users_scopes_and_both_buttons(sandbox: Sandbox) -> None:
    """A person sees who they may be, one box per scope, Allow and Deny, also on a phone."""
    page = await sandbox.http.get("/oauth/authorize", params=ASKED)

    assert page.status_code == 200
    assert 'name="viewport"' in page.text
    assert re.findall(r'name="granted" value="([^"]+)"', page.text) == [
        "users:read",
        "webhooks:write",
    ]
    assert "ada@example.com" in page.text
    assert "grace@example.com" in page.text
    assert re.findall(r'name="decision" value="([^"]+)"', page.text) == ["deny", "allow"]


async def test_the_page_carries_the_request_unchanged(sandbox: Sandbox) -> None:
    """A form built from the page's hidden fields is accepted and returns the state verbatim."""
    page = await sandbox.http.get("/oauth/authorize", params=ASKED)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', page.text))
    hidden = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
    form = {**hidden, "user": "ada@example.com", "decision": "allow", "granted": "users:read"}
    answer = await sandbox.http.post("/oauth/authorize", data=form)

    assert hidden == ASKED
    assert answer_of(answer)["state"] == "st&te"


async def test_a_code_buys_the_documented_token_answer(sandbox: Sandbox) -> None:
    """A consent, traded with the right verifier, gives a pair with every documented field."""
    code = answer_of(await submit(sandbox))["code"]
    answer = await trade(sandbox, code)
    ada = await sandbox.control("GET", "/users/ada@example.com")

    assert re.fullmatch(r"[0-9a-f]{64}", code)
    assert answer.status_code == 200
    tokens = answer.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 7200
    assert tokens["scope"] == "users:read webhooks:write"
    assert tokens["owner"] == ada["uri"]
    assert tokens["organization"] == ada["current_organization"]
    assert set(tokens) == {
        "token_type",
        "expires_in",
        "created_at",
        "refresh_token",
        "access_token",
        "scope",
        "owner",
        "organization",
    }


async def test_declined_scopes_are_not_granted(sandbox: Sandbox) -> None:
    """An unticked box is missing from the granted scopes."""
    code = answer_of(await submit(sandbox, granted=["users:read"]))["code"]

    assert (await trade(sandbox, code)).json()["scope"] == "users:read"


@pytest.mark.parametrize("changes", [{"decision": "deny"}, {"granted": []}])
async def test_denial_is_reported_to_the_app(sandbox: Sandbox, changes: dict[str, Any]) -> None:
    """Deny, or no scope left, redirects with access_denied, the state, and no code."""
    answer = answer_of(await submit(sandbox, **changes))

    assert answer["error"] == "access_denied"
    assert answer["state"] == "st&te"
    assert "code" not in answer


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything:read"}, "invalid_scope"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
    ],
)
async def test_a_wrong_request_is_reported_to_the_app(
    sandbox: Sandbox, changes: dict[str, str], error: str
) -> None:
    """An error of a request with a valid redirect goes to the redirect."""
    answer = await sandbox.http.get("/oauth/authorize", params=ASKED | changes)

    assert answer_of(answer)["error"] == error


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"client_id": "nobody"}, 401), ({"redirect_uri": "https://evil.example/cb"}, 400)],
)
async def test_an_unknown_client_or_redirect_is_never_redirected_to(
    sandbox: Sandbox, changes: dict[str, str], status: int
) -> None:
    """The page shows the error instead."""
    answer = await sandbox.http.get("/oauth/authorize", params=ASKED | changes)

    assert answer.status_code == status
    assert "location" not in answer.headers


async def test_a_code_is_good_once(sandbox: Sandbox) -> None:
    """The second trade of a code is invalid_grant in the words of `doorkeeper`."""
    code = answer_of(await submit(sandbox))["code"]
    first, second = await trade(sandbox, code), await trade(sandbox, code)

    assert first.status_code == 200
    assert second.status_code == 400
    assert second.json()["error"] == "invalid_grant"
    assert second.json()["error_description"].startswith("The provided authorization grant is")


@pytest.mark.parametrize(("age", "status"), [(599, 200), (600, 400)])
async def test_a_code_lives_ten_minutes(sandbox: Sandbox, age: int, status: int) -> None:
    """A code is traded until it is ten minutes old."""
    await sandbox.control("POST", "/clock", now="2026-12-01T00:00:00Z")
    code = answer_of(await submit(sandbox))["code"]
    await sandbox.control("POST", "/clock", move_seconds=age - 0.9)
    if status == 400:
        await sandbox.control("POST", "/clock", move_seconds=0.9)

    assert (await trade(sandbox, code)).status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "another-verifier-of-enough-length-0123456789"},
        {"code_verifier": ""},
        {"redirect_uri": "http://localhost:3000/other"},
        {"code": "0" * 64},
    ],
)
async def test_a_code_needs_its_verifier_and_redirect(
    sandbox: Sandbox, changes: dict[str, str]
) -> None:
    """PKCE S256 is checked, and the redirect must be the one of the authorize request."""
    code = answer_of(await submit(sandbox))["code"]
    answer = await trade(sandbox, **({"code": code} | changes))

    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_grant", "invalid_request")


async def test_a_native_app_must_use_pkce(sandbox: Sandbox) -> None:
    """A public client gets a code only with a challenge, and trades it without a secret."""
    await sandbox.control("POST", "/apps", client_id="native", signing_key="k")
    bare = {k: v for k, v in ASKED.items() if not k.startswith("code_")} | {"client_id": "native"}
    refused = await sandbox.http.get("/oauth/authorize", params=bare)
    code = answer_of(await submit(sandbox, client_id="native"))["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": "native",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    traded = await sandbox.http.post("/oauth/token", data=form)

    assert answer_of(refused)["error"] == "invalid_request"
    assert traded.status_code == 200


async def test_an_unknown_person_is_asked_again(sandbox: Sandbox) -> None:
    """An unknown e-mail address shows the page again with a message."""
    answer = await submit(sandbox, user="nobody@example.com")

    assert answer.status_code == 400
    assert "No user here has that e-mail address" in answer.text


async def test_a_program_can_consent_without_the_page(sandbox: Sandbox) -> None:
    """The control surface decides for a user and says where the page would redirect."""
    url = f"https://auth.calendly.com/oauth/authorize?{urlencode(ASKED)}"
    answer = await sandbox.control(
        "POST", "/consent", authorize_url=url, user="grace@example.com", decline=["users:read"]
    )
    code = parse_qs(urlsplit(answer["redirect_to"]).query)["code"][0]

    assert (await trade(sandbox, code)).json()["scope"] == "webhooks:write"
