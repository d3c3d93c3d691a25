from urllib.parse import parse_qs, urlsplit

import pytest

from domain.errors import GrantRefused
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

CONNECT = "/api/calendly/connect"
CONFIRM = "/api/calendly/connect/confirm"
CALLBACK = "/api/calendly/callback"
JSON = {"Accept": "application/json"}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OTHER = {**CALLER, "X-User-Id": "mallory"}
BACK = "https://app.example.com/settings?tab=2&calendly_handle=old"


async def begin(client: Client, **params: str) -> str:
    """Begin a flow that is not bound to a browser; return its state."""
    answer = await client.get(CONNECT, headers={**CALLER, **JSON}, params=params)
    state: str = answer.json()["authorize_url"].rpartition("state=")[2]
    return state


async def come_back(client: Client, **params: str) -> str:
    """Begin, and come back from the consent page; return the handle."""
    state = await begin(client, **params)
    answer = await client.get(CALLBACK, params={"state": state, "code": "c"}, headers=JSON)
    handle: str = answer.json()["handle"]
    return handle


async def test_the_browser_brings_a_handle(client: Client, services: StandInServices) -> None:
    """After consent the browser arrives at return_to with one handle, and nothing is connected."""
    state = await begin(client, return_to=BACK)

    answer = await client.get(
        CALLBACK, params={"state": state, "code": "c0de"}, headers=PAGE, follow_redirects=False
    )

    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.status_code == 302
    assert query == {
        "tab": ["2"],
        "calendly": ["confirm"],
        "calendly_handle": [f"handle-of-{state}"],
    }
    assert services.connect.connected == set()


async def test_a_program_gets_the_handle(client: Client, services: StandInServices) -> None:
    """A program that takes the callback without a user gets the handle as JSON, with 202."""
    state = await begin(client)

    answer = await client.get(CALLBACK, params={"state": state, "code": "c"}, headers=JSON)

    assert answer.status_code == 202
    assert answer.json() == {
        "status": "confirm",
        "handle": f"handle-of-{state}",
        "expires_at": "2026-12-01T09:02:00Z",
    }
    assert services.connect.connected == set()


async def test_no_person_is_shown_a_handle(client: Client, services: StandInServices) -> None:
    """Without return_to a browser sees why nothing was connected, and no handle."""
    state = await begin(client)

    answer = await client.get(CALLBACK, params={"state": state, "code": "c"}, headers=PAGE)

    assert answer.status_code == 400
    assert "connect_unconfirmable" in answer.text
    assert "handle-of" not in answer.text
    assert services.connect.held == {}


async def test_the_user_who_began_confirms(client: Client, services: StandInServices) -> None:
    """A confirmation names the integration and the account."""
    handle = await come_back(client)

    answer = await client.post(CONFIRM, headers=CALLER, json={"handle": handle})

    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["account"]["email"]) == ("connected", "ada@example.com")
    assert len(services.connect.connected) == 1


async def test_another_user_does_not(client: Client, services: StandInServices) -> None:
    """For another user nothing is connected, and the handle is spent."""
    handle = await come_back(client)

    refused = await client.post(CONFIRM, headers=OTHER, json={"handle": handle})
    late = await client.post(CONFIRM, headers=CALLER, json={"handle": handle})

    problem_in(refused, 400, "connect_handle_invalid")
    problem_in(late, 400, "connect_handle_invalid")
    assert handle not in refused.text
    assert services.connect.connected == set()


@pytest.mark.parametrize(
    "body", [{}, {"handle": ""}, {"handle": "a b"}, {"handle": "x" * 129}, {"handle": None}, []]
)
async def test_an_odd_handle_is_refused(client: Client, body: object) -> None:
    """A body without a handle in its form is 400, before the store is asked."""
    answer = await client.post(CONFIRM, headers=CALLER, json=body)

    problem_in(answer, 400, "invalid_input")


async def test_confirming_cannot_be_left_out(client: Client, services: StandInServices) -> None:
    """No parameter of the request does without the confirmation."""
    refused = await client.get(CONNECT, params={"confirm": "false"}, headers={**CALLER, **JSON})
    assert refused.status_code == 400
    state = await begin(client)

    answer = await client.get(
        CALLBACK, params={"state": state, "code": "c", "confirm": "false"}, headers=JSON
    )

    assert answer.status_code in {202, 400}
    assert services.connect.connected == set()


async def test_a_proxy_that_names_the_user_needs_no_second_step(
    client: Client, services: StandInServices
) -> None:
    """A callback with the key and the user of the browser's session completes immediately."""
    state = await begin(client)

    answer = await client.get(
        CALLBACK, params={"state": state, "code": "c"}, headers={**CALLER, **JSON}
    )

    assert answer.json()["status"] == "connected"
    assert len(services.connect.connected) == 1


async def test_a_refused_exchange_is_a_problem(client: Client, services: StandInServices) -> None:
    """An exchange that fails at the confirmation is a problem, and connects nothing."""
    services.fail_next("confirm_connect", GrantRefused("The code is spent."))
    handle = await come_back(client)

    answer = await client.post(CONFIRM, headers=CALLER, json={"handle": handle})

    problem_in(answer, 409, "grant_refused")
    assert services.connect.connected == set()
