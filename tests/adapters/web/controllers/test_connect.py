from uuid import UUID

import pytest

from adapters.web.auth.connect_cookie import name_of
from domain.errors import ConsentDenied, GrantRefused, ScopesDeclined, SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Cause, Recovery
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in, serving, settings_with

CONNECT = "/api/calendly/connect"
CALLBACK = "/api/calendly/callback"
JSON = {"Accept": "application/json"}
OWN = {**CALLER, **JSON}
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
DENIED = ConsentDenied("Access to Calendly was refused; nothing was connected.")


async def begin(client: Client, **params: str) -> str:
    """Begin a flow that is not bound to a browser; return its state."""
    answer = await client.get(CONNECT, headers={**CALLER, **JSON}, params=params)
    state: str = answer.json()["authorize_url"].rpartition("state=")[2]
    return state


async def test_a_browser_is_sent_to_the_consent_page(client: Client) -> None:
    """A browser is redirected and gets a cookie that scripts and other sites cannot use."""
    answer = await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)

    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://auth.calendly.com/oauth/authorize")
    assert cookie.startswith(f"{name_of('state-1', settings_with())}=browser-state-1;")
    assert "state-1" not in cookie.partition("=")[0]
    assert cookie.startswith("__Secure-")
    for part in ("HttpOnly", "SameSite=lax", "Secure", "Path=/api/calendly/callback"):
        assert part in cookie


async def test_over_plain_http_the_cookie_is_not_secure() -> None:
    """A cookie is marked Secure only where PUBLIC_URL is https, or it would never come back."""
    services = StandInServices(settings_with(PUBLIC_URL="http://127.0.0.1:8000"))

    async with serving(services) as client:
        answer = await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)

    assert "Secure" not in answer.headers["set-cookie"]


@pytest.mark.parametrize("accepts", ["application/json", "*/*", "", "application/*;q=0.9, */*"])
async def test_a_program_gets_the_address(
    client: Client, services: StandInServices, accepts: str
) -> None:
    """A client that is not a browser gets the consent page's address, and no cookie."""
    answer = await client.get(CONNECT, headers={**CALLER, "Accept": accepts})

    assert answer.status_code == 200
    assert answer.json()["expires_at"] == "2026-12-01T09:10:00Z"
    assert "set-cookie" not in answer.headers
    assert services.connect.flows["state-1"].cookie is None


@pytest.mark.parametrize(
    "return_to",
    ["/", "/done?x=1", "https://slots.example.com/x", "https://app.example.com/settings?tab=2"],
)
async def test_the_way_back_is_kept(
    client: Client, services: StandInServices, return_to: str
) -> None:
    """A path of ours, or an address at PUBLIC_URL or a return origin, is where the flow ends."""
    state = await begin(client, return_to=return_to)

    assert services.connect.flows[state].return_to == return_to


@pytest.mark.parametrize(
    "return_to",
    [
        "",
        "https://evil.example.com/",
        "//evil.example.com",
        "/\\evil.example.com",
        "https://app.example.com.evil.example.com/",
        "https://app.example.com@evil.example.com/",
        "https://app.example.com:8443/",
        "http://app.example.com/",
        "https://user:pass@app.example.com/",
        "javascript:alert(1)",
        "/ok\r\nSet-Cookie: x=1",
        "https://app.example.com:bad/",
        "https://[",
        "/" + "x" * 3000,
    ],
)
async def test_no_other_way_back_is_taken(
    client: Client, services: StandInServices, return_to: str
) -> None:
    """An address elsewhere is refused, and no flow begins, so there is no open redirect."""
    answer = await client.get(CONNECT, headers={**CALLER, **JSON}, params={"return_to": return_to})

    problem_in(answer, 400, "invalid_input")
    assert services.connect.flows == {}


async def test_a_connected_browser_goes_back(client: Client, services: StandInServices) -> None:
    """A flow whose user is proven at the callback returns to return_to with its outcome."""
    state = await begin(client, return_to="https://app.example.com/settings?tab=2")

    answer = await client.get(
        CALLBACK, params={"state": state, "code": "c0de"}, headers=CALLER, follow_redirects=False
    )

    assert answer.status_code == 302
    assert (
        answer.headers["location"] == "https://app.example.com/settings?tab=2&calendly=connected"
    )
    assert len(services.connect.connected) == 1


async def test_without_a_way_back_a_page_says_it(client: Client) -> None:
    """Without return_to a browser sees a page that names the account and the application."""
    await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)

    answer = await client.get(CALLBACK, params={"state": "state-1", "code": "c"}, headers=PAGE)

    assert answer.status_code == 200
    assert "Calendly is connected" in answer.text
    assert "Ada Example" in answer.text
    assert "ada@example.com" in answer.text
    assert "slots.example.com" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_page_names_the_application() -> None:
    """APPLICATION_NAME is on the page after consent in the place of the host."""
    services = StandInServices(settings_with(APPLICATION_NAME="Acme <Meetings>"))
    async with serving(services) as client:
        await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)
        answer = await client.get(CALLBACK, params={"state": "state-1", "code": "c"}, headers=PAGE)

    assert "Acme &lt;Meetings&gt;" in answer.text


async def test_without_a_way_back_a_program_gets_json(client: Client) -> None:
    """Without return_to a program gets the integration's id."""
    state = await begin(client)

    answer = await client.get(CALLBACK, params={"state": state, "code": "c"}, headers=OWN)

    assert answer.json()["status"] == "connected"


async def test_a_program_learns_of_a_recovery(client: Client, services: StandInServices) -> None:
    """The response for an account that was lost names the cause and the time of the loss."""
    services.connect.recovery = Recovery(Cause.GRANT_REFUSED, scenario.NOW)
    state = await begin(client)

    answer = await client.get(CALLBACK, params={"state": state, "code": "c"}, headers=OWN)

    body = answer.json()
    assert body["status"] == "recovered"
    assert body["recovered"] == {"from": "grant_refused", "at": "2026-12-01T09:00:00Z"}


async def test_a_program_learns_which_connection_was_replaced(
    client: Client, services: StandInServices
) -> None:
    """If one account replaces another, the response names the replaced connection."""
    services.connect.replaced = IntegrationId(UUID(int=7))
    state = await begin(client, replace="true")

    answer = await client.get(CALLBACK, params={"state": state, "code": "c"}, headers=OWN)

    assert answer.json()["replaced"] == str(UUID(int=7))


@pytest.mark.parametrize(
    ("params", "chosen"), [({}, False), ({"replace": "false"}, False), ({"replace": "true"}, True)]
)
async def test_replacing_is_chosen(
    client: Client, services: StandInServices, params: dict[str, str], chosen: bool
) -> None:
    """Another account takes the connected one's place only if the caller asked for that."""
    state = await begin(client, **params)

    assert services.connect.flows[state].replace is chosen


async def test_an_odd_choice_is_refused(client: Client, services: StandInServices) -> None:
    """A `replace` that is neither true nor false begins nothing."""
    answer = await client.get(CONNECT, headers={**CALLER, **JSON}, params={"replace": "maybe"})

    problem_in(answer, 400, "invalid_input")
    assert services.connect.flows == {}


async def test_the_browser_that_began_completes(client: Client, services: StandInServices) -> None:
    """The cookie set at the beginning lets the same browser complete, and see it once more."""
    await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)

    for _ in range(2):
        answer = await client.get(CALLBACK, params={"state": "state-1", "code": "c"}, headers=PAGE)
        assert answer.status_code == 200
        assert "Calendly is connected" in answer.text

    assert len(services.connect.connected) == 1


async def test_a_failed_flow_drops_its_cookie(client: Client, services: StandInServices) -> None:
    """After a refusal the browser forgets the flow, and a second callback is refused."""
    services.fail_next("complete_connect", DENIED)
    await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)
    params = {"state": "state-1", "error": "access_denied"}

    denied = await client.get(CALLBACK, params=params, headers=JSON)
    again = await client.get(CALLBACK, params=params, headers=JSON)

    problem_in(denied, 400, "consent_denied")
    assert f"{name_of('state-1', settings_with())}=" in denied.headers["set-cookie"]
    assert "Max-Age=0" in denied.headers["set-cookie"]
    problem_in(again, 400, "connect_state_invalid")


@pytest.mark.parametrize("order", [("state-1", "state-2"), ("state-2", "state-1")])
async def test_two_tabs_of_one_browser_both_complete(
    client: Client, order: tuple[str, str]
) -> None:
    """A second flow in the same browser takes nothing from the first; both complete."""
    for _ in order:
        await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)

    answers = [
        await client.get(CALLBACK, params={"state": state, "code": "c"}, headers=PAGE)
        for state in order
    ]

    assert [each.status_code for each in answers] == [200, 200]


async def test_a_flow_of_the_previous_version_completes(
    client: Client, services: StandInServices
) -> None:
    """A flow that began under the one cookie of the previous version still completes."""
    await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)
    client.cookies.clear()
    client.cookies.set("slotkeeper_connect", "browser-state-1")

    answer = await client.get(CALLBACK, params={"state": "state-1", "code": "c"}, headers=PAGE)

    assert answer.status_code == 200
    assert len(services.connect.connected) == 1


@pytest.mark.parametrize("end", ["", "/"])
async def test_below_a_path_the_cookie_reaches_the_callback(end: str) -> None:
    """Where PUBLIC_URL has a path, which the proxy removes, the browser sends the cookie back."""
    services = StandInServices(settings_with(PUBLIC_URL=f"https://example.com/slots{end}"))

    async with serving(services) as client:
        at_service = f"https://example.com{CONNECT}"
        answer = await client.get(at_service, headers={**CALLER, **PAGE}, follow_redirects=False)

    assert "Path=/slots/api/calendly/callback;" in f"{answer.headers['set-cookie']};"


async def test_another_browser_does_not_complete(
    client: Client, services: StandInServices
) -> None:
    """A flow bound to one browser is refused in another, and nothing is stored."""
    await client.get(CONNECT, headers={**CALLER, **PAGE}, follow_redirects=False)
    client.cookies.clear()

    answer = await client.get(CALLBACK, params={"state": "state-1", "code": "c"}, headers=JSON)

    problem_in(answer, 400, "connect_state_invalid")
    assert services.connect.connected == set()


@pytest.mark.parametrize("params", [{}, {"state": "unknown", "code": "c"}, {"code": "c"}])
async def test_a_wrong_state_is_refused(
    client: Client, services: StandInServices, params: dict[str, str]
) -> None:
    """A callback with a missing or unknown state is 400 and stores nothing."""
    answer = await client.get(CALLBACK, params=params, headers=JSON)

    problem_in(answer, 400, "connect_state_invalid")
    assert services.connect.connected == set()


async def test_a_completed_callback_goes_back_again(client: Client) -> None:
    """A callback that is loaded twice leads to the same address with the same outcome."""
    params = {"state": await begin(client, return_to="/done"), "code": "c"}

    answers = [
        await client.get(CALLBACK, params=params, headers=CALLER, follow_redirects=False)
        for _ in range(2)
    ]

    assert {each.headers["location"] for each in answers} == {"/done?calendly=connected"}


async def test_another_users_state_is_refused(client: Client, services: StandInServices) -> None:
    """An authenticated caller cannot complete another user's flow."""
    state = await begin(client)

    answer = await client.get(
        CALLBACK,
        params={"state": state, "code": "c"},
        headers={**CALLER, **JSON, "X-User-Id": "mallory"},
    )

    problem_in(answer, 400, "connect_state_invalid")
    assert services.connect.connected == set()


async def test_a_wrong_key_at_the_callback_is_refused(client: Client) -> None:
    """A caller who says who it is has to prove it, at the callback too."""
    answer = await client.get(CALLBACK, headers={**JSON, "Authorization": "Bearer wrong"})

    problem_in(answer, 401, "api_key_invalid")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DENIED, "Access to Calendly was refused"),
        (ScopesDeclined("Allow more.", missing=("webhooks:write",)), "webhooks:write"),
    ],
)
async def test_a_refusal_is_a_clear_page(
    client: Client, services: StandInServices, error: SlotkeeperError, words: str
) -> None:
    """Denied consent or declined scopes is a page with that message, with status 400."""
    services.fail_next("complete_connect", error)
    state = await begin(client)

    answer = await client.get(
        CALLBACK, params={"state": state, "error": "access_denied"}, headers=PAGE
    )

    assert answer.status_code == 400
    assert words in answer.text
    assert error.code in answer.text
    assert services.connect.connected == set()


async def test_a_refusal_goes_back_with_its_code(
    client: Client, services: StandInServices
) -> None:
    """With return_to a refusal returns there, with its code in the query."""
    services.fail_next("complete_connect", DENIED)
    state = await begin(client, return_to="/done?calendly=old")

    answer = await client.get(
        CALLBACK, params={"state": state, "error": "access_denied"}, follow_redirects=False
    )

    assert answer.headers["location"] == "/done?calendly=consent_denied"


async def test_a_program_gets_the_refusal_as_a_problem(
    client: Client, services: StandInServices
) -> None:
    """A refused exchange is a problem for a program, which never repeats the code."""
    services.fail_next("complete_connect", GrantRefused("The code is spent."))
    state = await begin(client)

    answer = await client.get(
        CALLBACK, params={"state": state, "code": "c0de-s3cret"}, headers=JSON
    )

    problem_in(answer, 409, "grant_refused")
    assert "c0de-s3cret" not in answer.text
