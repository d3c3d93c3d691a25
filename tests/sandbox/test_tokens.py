"""Rotation, expiry, revocation, introspection and the limits of the token endpoint."""

import httpx
import pytest

from tests.sandbox.client import SECRET, Account, Sandbox

GRANT = {"grant_type": "refresh_token", "refresh_token": "unknown"}


def refreshed(who: Account, answer: httpx.Response) -> Account:
    """The account with the pair of a refresh answer."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return Account(
        who.email, who.uri, who.organization, body["access_token"], body["refresh_token"]
    )


async def test_a_refresh_token_dies_the_moment_its_successor_is_issued(sandbox: Sandbox) -> None:
    """R1 buys R2 once; R1 again is invalid_grant and counted; R2 still works."""
    ada = await sandbox.grant()
    second = refreshed(ada, await sandbox.refresh(ada.refresh))
    replay = await sandbox.refresh(ada.refresh)
    third = await sandbox.refresh(second.refresh)
    counters = (await sandbox.control("GET", ""))["counters"]

    assert replay.status_code == 400
    assert replay.json()["error"] == "invalid_grant"
    assert third.status_code == 200
    assert counters["refresh_reuse"] == 1
    assert counters["token_requests"] == {
        "refresh_token:ok": 2,
        "refresh_token:invalid_grant": 1,
    }


async def test_the_old_access_token_outlives_a_refresh(sandbox: Sandbox) -> None:
    """A refresh leaves the previous access token valid until it expires."""
    ada = await sandbox.grant()
    await sandbox.refresh(ada.refresh)

    assert (await sandbox.get(ada, "/users/me")).status_code == 200


async def test_a_replay_can_kill_the_family(sandbox: Sandbox) -> None:
    """With the switch on, showing R1 again kills R2 as well."""
    await sandbox.control("PATCH", "/switches", refresh_replay_revokes_family=True)
    ada = await sandbox.grant()
    second = refreshed(ada, await sandbox.refresh(ada.refresh))
    await sandbox.refresh(ada.refresh)

    assert (await sandbox.refresh(second.refresh)).status_code == 400
    assert (await sandbox.get(second, "/users/me")).status_code == 401


async def test_rotation_can_wait_for_the_first_use(sandbox: Sandbox) -> None:
    """With the switch, R1 buys again until a pair bought with it is used."""
    await sandbox.control("PATCH", "/switches", refresh_rotation="until_first_use")
    ada = await sandbox.grant()
    await sandbox.refresh(ada.refresh)
    second = refreshed(ada, await sandbox.refresh(ada.refresh))
    await sandbox.get(second, "/users/me")

    assert (await sandbox.refresh(ada.refresh)).status_code == 400


@pytest.mark.parametrize(("age", "status"), [(7190, 200), (7200, 401)])
async def test_an_access_token_lives_two_hours(sandbox: Sandbox, age: int, status: int) -> None:
    """Two hours after its issue an access token has expired; the refresh token has not."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/clock", move_seconds=age)
    answer = await sandbox.get(ada, "/users/me")

    assert answer.status_code == status
    if status == 401:
        assert answer.json() == {
            "title": "Unauthenticated",
            "message": "The access token expired",
        }
    assert (await sandbox.refresh(ada.refresh)).status_code == 200


@pytest.mark.parametrize("kind", ["access", "refresh"])
async def test_revoking_either_token_kills_the_pair(sandbox: Sandbox, kind: str) -> None:
    """After a revoke both tokens are dead; a second revoke is still 200 {}."""
    ada = await sandbox.grant()
    form = {"token": getattr(ada, kind)}
    first = await sandbox.http.post("/oauth/revoke", data=form, auth=SECRET)
    second = await sandbox.http.post("/oauth/revoke", data=form, auth=SECRET)
    read = await sandbox.get(ada, "/users/me")

    assert (first.status_code, first.json()) == (200, {})
    assert (second.status_code, second.json()) == (200, {})
    assert read.json()["message"] == "The access token was revoked"
    assert (await sandbox.refresh(ada.refresh)).status_code == 400


async def test_revoking_needs_the_apps_own_credentials(sandbox: Sandbox) -> None:
    """A wrong secret and another app's token are 403, and kill nothing."""
    await sandbox.control(
        "POST", "/apps", client_id="b", client_secret="b-secret", signing_key="k"
    )
    ada = await sandbox.grant()
    form = {"token": ada.access}
    wrong = await sandbox.http.post("/oauth/revoke", data=form, auth=("sandbox-client", "no"))
    other = await sandbox.http.post("/oauth/revoke", data=form, auth=("b", "b-secret"))

    assert (wrong.status_code, other.status_code) == (403, 403)
    assert (await sandbox.get(ada, "/users/me")).status_code == 200


async def test_introspection_tells_a_live_token_from_a_dead_one(sandbox: Sandbox) -> None:
    """A live token is described; a spent, unknown or revoked one is only inactive."""
    ada = await sandbox.grant(scope="users:read")
    live = await sandbox.http.post("/oauth/introspect", data={"token": ada.access}, auth=SECRET)
    await sandbox.refresh(ada.refresh)
    spent = await sandbox.http.post("/oauth/introspect", data={"token": ada.refresh}, auth=SECRET)
    denied = await sandbox.http.post("/oauth/introspect", data={"token": "x"}, auth=("a", "b"))

    body = live.json()
    assert body["active"] is True
    assert (body["scope"], body["owner"]) == ("users:read", ada.uri)
    assert body["exp"] - body["iat"] == 7200
    assert spent.json() == {"active": False}
    assert denied.status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (GRANT | {"client_id": "sandbox-client", "client_secret": "no"}, 401, "invalid_client"),
        (GRANT, 401, "invalid_client"),
        (
            {"client_id": "sandbox-client", "client_secret": "sandbox-secret"},
            400,
            "invalid_request",
        ),
        (
            {
                "grant_type": "password",
                "client_id": "sandbox-client",
                "client_secret": "sandbox-secret",
            },
            400,
            "unsupported_grant_type",
        ),
    ],
)
async def test_the_oauth_host_has_its_own_error_family(
    sandbox: Sandbox, form: dict[str, str], status: int, error: str
) -> None:
    """Errors of the token endpoint are {error, error_description} with the statuses of `doorkeeper`."""
    answer = await sandbox.http.post("/oauth/token", data=form)

    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert set(answer.json()) == {"error", "error_description"}


async def test_client_credentials_may_be_in_the_body(sandbox: Sandbox) -> None:
    """A secret in the form, or in JSON, serves as well as HTTP Basic."""
    ada = await sandbox.grant()
    keys = {"client_id": SECRET[0], "client_secret": SECRET[1], "grant_type": "refresh_token"}
    first = await sandbox.http.post("/oauth/token", data=keys | {"refresh_token": ada.refresh})
    second = await sandbox.http.post(
        "/oauth/token", json=keys | {"refresh_token": first.json()["refresh_token"]}
    )

    assert (first.status_code, second.status_code) == (200, 200)


async def test_another_apps_refresh_token_is_refused(sandbox: Sandbox) -> None:
    """A refresh token works for the app it was issued to alone."""
    await sandbox.control(
        "POST", "/apps", client_id="b", client_secret="b-secret", signing_key="k"
    )
    ada = await sandbox.grant(client_id="b")

    assert (await sandbox.refresh(ada.refresh)).json()["error"] == "invalid_grant"


async def test_eight_token_requests_a_user_a_minute(sandbox: Sandbox) -> None:
    """The ninth request of a user within a minute is 429 and spends nothing."""
    ada, grace = await sandbox.grant(), await sandbox.grant("grace@example.com")
    for _ in range(8):
        ada = refreshed(ada, await sandbox.refresh(ada.refresh))
    ninth = await sandbox.refresh(ada.refresh)
    other = await sandbox.refresh(grace.refresh)
    await sandbox.control("POST", "/clock", move_seconds=61)
    later = await sandbox.refresh(ada.refresh)

    assert ninth.status_code == 429
    assert (other.status_code, later.status_code) == (200, 200)


async def test_a_user_can_disconnect_the_app(sandbox: Sandbox) -> None:
    """A grant revoked on Calendly's side kills access and refresh tokens alike."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/users/ada@example.com/revoke")

    assert (await sandbox.get(ada, "/users/me")).status_code == 401
    assert (await sandbox.refresh(ada.refresh)).status_code == 400


async def test_access_tokens_can_be_expired_at_once(sandbox: Sandbox) -> None:
    """Expiring them leaves the refresh token alive."""
    ada = await sandbox.grant()
    await sandbox.control("POST", "/users/ada@example.com/expire-access-tokens")
    answer = await sandbox.get(ada, "/users/me")

    assert answer.json()["message"] == "The access token expired"
    assert (await sandbox.refresh(ada.refresh)).status_code == 200


async def test_invalid_grant_can_be_401(sandbox: Sandbox) -> None:
    """Calendly says 400 or 401; the switch chooses."""
    await sandbox.control("PATCH", "/switches", invalid_grant_status=401)

    assert (await sandbox.refresh("unknown")).status_code == 401
