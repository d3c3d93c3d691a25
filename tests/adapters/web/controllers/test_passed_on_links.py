"""A connect link that its user passes on, over the real store and the sandbox.

The sender begins a flow and sends the link to a victim, who consents with an own account. Each way
to get that account is one case. Afterwards the case compares what is stored, and the grants that
the victim has given at Calendly.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from domain.api_key import KeyScope
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from tests.adapters.web.real_edge import Edge, open_edge, running_sandbox

CONNECT = "/api/calendly/connect"
CONFIRM = f"{CONNECT}/confirm"
CALLBACK = "/api/calendly/callback"
PAGE = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}
SENDER, VICTIM, STRANGER = "sender", "victim", "stranger"
ADA, GRACE = "ada@example.com", "grace@example.com"
"""The sender's own account, and the victim's."""


class Begun(NamedTuple):
    """A flow that has begun."""

    authorize_url: str

    @property
    def state(self) -> str:
        """Its state, which its user knows."""
        return parse_qs(urlsplit(self.authorize_url).query)["state"][0]


class Arrival(NamedTuple):
    """A browser that came back: the response, and the handle that it brought."""

    answer: httpx.Response
    handle: str = ""


@dataclass
class Play:
    """The people of a case, and the secrets that went through their hands."""

    edge: Edge
    secrets: list[str] = field(default_factory=list)

    async def begin(self, user: str = SENDER, **params: str) -> Begun:
        """Begin a flow in the back end."""
        asked = {"return_to": "/back", **params}
        headers = {**self.edge.caller(user), **JSON}
        answer = await self.edge.client.get(CONNECT, headers=headers, params=asked)
        return Begun(answer.raise_for_status().json()["authorize_url"])

    async def consent(self, begun: Begun, person: str = GRACE) -> dict[str, str]:
        """Let a person allow; return the query of the callback."""
        allowed = await self.edge.calendly.control(
            "POST", "/consent", user=person, authorize_url=begun.authorize_url
        )
        query = {k: v[0] for k, v in parse_qs(urlsplit(allowed["redirect_to"]).query).items()}
        self.secrets.append(query["code"])
        return query

    async def come_back(
        self, query: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Arrival:
        """Load the callback in a browser."""
        answer = await self.edge.client.get(
            CALLBACK, params=query, headers={**PAGE, **(headers or {})}, follow_redirects=False
        )
        found = parse_qs(urlsplit(answer.headers.get("location", "")).query)
        handle = found.get("calendly_handle", [""])[0]
        self.secrets += [handle] if handle else []
        return Arrival(answer, handle)

    async def victim_arrives(self, **params: str) -> str:
        """Let the victim consent to the sender's flow; return the handle in the victim's browser."""
        return (await self.come_back(await self.consent(await self.begin(**params)))).handle

    async def confirm(
        self, handle: str, user: str | None, key: str | None = None
    ) -> httpx.Response:
        """Confirm for a user with a key; no key is the empty text."""
        headers = {"Authorization": f"Bearer {self.edge.key if key is None else key}"}
        if key == "":
            del headers["Authorization"]
        if user is not None:
            headers["X-User-Id"] = user
        return await self.edge.client.post(CONFIRM, headers=headers, json={"handle": handle})

    async def sql(self, statement: str, *values: Any) -> list[Any]:
        """Run a statement and commit it."""
        async with self.edge.resources.storage() as uow:
            rows = await cast(Any, uow.users)._session.rows(statement, *values)
            await uow.commit()
        return list(rows)


def refused(
    answer: httpx.Response, status: int = 400, code: str = "connect_handle_invalid"
) -> None:
    """Fail unless an answer is this problem."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def the_victims_session_confirms(play: Play) -> None:
    """The application confirms for the victim, whose session received the handle."""
    handle = await play.victim_arrives()
    refused(await play.confirm(handle, VICTIM))


async def the_sender_replays_the_handle(play: Play) -> None:
    """The sender reads the handle from the victim's history afterwards."""
    handle = await play.victim_arrives()
    refused(await play.confirm(handle, VICTIM))
    refused(await play.confirm(handle, SENDER))


async def the_confirmation_names_no_user(play: Play) -> None:
    """A confirmation without X-User-Id belongs to no user."""
    handle = await play.victim_arrives()
    refused(await play.confirm(handle, None), 400, "invalid_input")


async def the_confirmation_names_an_unknown_user(play: Play) -> None:
    """A user who never connected is not created by the confirmation."""
    handle = await play.victim_arrives()
    refused(await play.confirm(handle, STRANGER))
    assert await play.sql("SELECT 1 FROM app_user WHERE external_id = $1", STRANGER) == []


async def the_confirmation_has_no_key(play: Play) -> None:
    """The browser itself cannot confirm."""
    handle = await play.victim_arrives()
    refused(await play.confirm(handle, SENDER, ""), 401, "api_key_invalid")


async def the_confirmation_has_a_wrong_key(play: Play) -> None:
    """A key that was never made does not confirm."""
    handle = await play.victim_arrives()
    refused(await play.confirm(handle, SENDER, "sk_wrong"), 401, "api_key_invalid")


async def the_confirmation_has_a_reading_key(play: Play) -> None:
    """A key that may only read does not confirm."""
    handle = await play.victim_arrives()
    manage = play.edge.services.manage_api_keys
    _, key = await manage.create("reader", scopes=frozenset({KeyScope.READ}))
    refused(await play.confirm(handle, SENDER, key.reveal()), 403, "key_scope_missing")


async def many_confirmations_race(play: Play) -> None:
    """Several sessions that are not the sender's confirm at the same moment."""
    handle = await play.victim_arrives()
    users = [VICTIM, STRANGER] * 4
    for each in await asyncio.gather(*(play.confirm(handle, user) for user in users)):
        refused(each)


async def the_handle_has_expired(play: Play) -> None:
    """The sender gets the handle after its two minutes."""
    handle = await play.victim_arrives()
    await play.sql(
        "UPDATE calendly_connect_attempt SET held_until = clock_timestamp() - interval '1 second'"
        " WHERE code_sealed IS NOT NULL RETURNING id"
    )
    refused(await play.confirm(handle, SENDER))


async def the_link_has_expired(play: Play) -> None:
    """The victim opens a link of yesterday."""
    query = await play.consent(await play.begin())
    await play.sql(
        "UPDATE calendly_connect_attempt SET expires_at = clock_timestamp() - interval '1 second'"
        " RETURNING id"
    )
    arrival = await play.come_back(query, JSON)
    refused(arrival.answer, 400, "connect_state_invalid")
    assert not arrival.handle


async def the_sender_loads_the_victims_callback(play: Play) -> None:
    """The sender has the whole callback address, and loads it after the victim's browser."""
    query = await play.consent(await play.begin())
    await play.come_back(query)
    arrival = await play.come_back(query, JSON)
    refused(arrival.answer, 400, "connect_state_invalid")
    assert not arrival.handle


async def the_sender_loads_a_callback_with_another_code(play: Play) -> None:
    """The sender knows the state, and hopes for a handle to the code that is held."""
    begun = await play.begin()
    handle = (await play.come_back(await play.consent(begun))).handle
    arrival = await play.come_back({"state": begun.state, "code": "invented"}, JSON)
    refused(arrival.answer, 400, "connect_state_invalid")
    refused(await play.confirm(handle, VICTIM))


async def the_sender_comes_with_headers(play: Play) -> None:
    """The sender's own proxied session loads the callback while the victim's code is held."""
    begun = await play.begin()
    await play.come_back(await play.consent(begun))
    own = {**play.edge.caller(SENDER), **JSON}
    arrival = await play.come_back({"state": begun.state, "code": "invented"}, own)
    refused(arrival.answer, 400, "connect_state_invalid")


async def two_callbacks_race(play: Play) -> None:
    """The sender's callback and the victim's arrive at the same moment; one code is kept."""
    begun = await play.begin()
    query = await play.consent(begun)
    invented = {"state": begun.state, "code": "invented"}
    arrivals = await asyncio.gather(*(play.come_back(each) for each in [query, invented] * 3))
    (handle,) = [each.handle for each in arrivals if each.handle]
    refused(await play.confirm(handle, VICTIM))


async def two_flows_are_parallel(play: Play) -> None:
    """The sender completes an own flow beside the one that was passed on."""
    handle = await play.victim_arrives()
    own = await play.come_back(await play.consent(await play.begin(), ADA))
    assert (await play.confirm(own.handle, SENDER)).json()["account"]["email"] == ADA
    refused(await play.confirm(handle, VICTIM))


async def the_victim_has_a_flow_too(play: Play) -> None:
    """The victim's session confirms the handle of the sender's flow, then that of its own."""
    handle = await play.victim_arrives()
    own = await play.come_back(await play.consent(await play.begin(VICTIM)))
    refused(await play.confirm(handle, VICTIM))
    assert (await play.confirm(own.handle, VICTIM)).json()["account"]["email"] == GRACE


async def the_code_is_moved_to_another_flow(play: Play) -> None:
    """The sender presents the victim's code with the state of a second own flow (RFC 9700, 4.5)."""
    stolen = await play.consent(await play.begin())
    second = await play.begin()
    own = await play.come_back({"state": second.state, "code": stolen["code"]})
    refused(await play.confirm(own.handle, SENDER), 409, "grant_refused")


async def the_sender_passes_the_own_handle_on(play: Play) -> None:
    """The victim opens the sender's return address, so that the sender's account becomes theirs."""
    own = await play.come_back(await play.consent(await play.begin(), ADA))
    refused(await play.confirm(own.handle, VICTIM))


async def the_link_is_bound_to_a_browser(play: Play) -> None:
    """The sender's browser began, and the victim's browser has no cookie of the flow."""
    headers = {**play.edge.caller(SENDER), **PAGE}
    sent = await play.edge.client.get(CONNECT, headers=headers, follow_redirects=False)
    play.edge.client.cookies.clear()
    arrival = await play.come_back(await play.consent(Begun(sent.headers["location"])), JSON)
    refused(arrival.answer, 400, "connect_state_invalid")


async def a_proxy_names_the_victim(play: Play) -> None:
    """The team's proxy adds its key and the victim, whose session the browser has."""
    query = await play.consent(await play.begin())
    arrival = await play.come_back(query, {**play.edge.caller(VICTIM), **JSON})
    refused(arrival.answer, 400, "connect_state_invalid")


async def the_flow_has_no_return_to(play: Play) -> None:
    """Without an address of the application the victim's browser is shown no handle."""
    headers = {**play.edge.caller(SENDER), **JSON}
    begun = Begun((await play.edge.client.get(CONNECT, headers=headers)).json()["authorize_url"])
    query = await play.consent(begun)
    shown = (await play.come_back(query)).answer
    assert (shown.status_code, "connect_unconfirmable" in shown.text) == (400, True)
    refused((await play.come_back(query, JSON)).answer, 400, "connect_state_invalid")


async def the_request_leaves_the_confirmation_out(play: Play) -> None:
    """The sender adds parameters that would do without the second step."""
    query = await play.consent(await play.begin())
    arrival = await play.come_back({**query, "confirm": "false"}, JSON)
    assert arrival.answer.status_code in {302, 400}
    if arrival.handle:
        refused(await play.confirm(arrival.handle, VICTIM))


async def the_handle_is_guessed(play: Play) -> None:
    """Neither the state nor the hash that a reader of the database sees is a handle."""
    begun = await play.begin()
    await play.come_back(await play.consent(begun))
    ((stored,),) = await play.sql(
        "SELECT encode(handle_hash, 'hex') FROM calendly_connect_attempt"
        " WHERE code_sealed IS NOT NULL"
    )
    for guess in (begun.state, stored, "x" * 43):
        refused(await play.confirm(guess, SENDER))


async def the_sender_wants_to_replace_an_account(play: Play) -> None:
    """The sender is connected already, and asks for the victim's account in its place."""
    own = await play.come_back(await play.consent(await play.begin(), ADA))
    assert (await play.confirm(own.handle, SENDER)).is_success
    handle = await play.victim_arrives(replace="true")
    refused(await play.confirm(handle, VICTIM))


async def the_code_comes_back_after_a_wrong_confirmation(play: Play) -> None:
    """The flow is over after the wrong confirmation; its code and state start nothing again."""
    query = await play.consent(await play.begin())
    handle = (await play.come_back(query)).handle
    refused(await play.confirm(handle, VICTIM))
    for headers in (JSON, {**play.edge.caller(SENDER), **JSON}):
        refused((await play.come_back(query, headers)).answer, 400, "connect_state_invalid")


async def the_victim_does_nothing(play: Play) -> None:
    """The victim has no session at the application, which throws the handle away."""
    assert await play.victim_arrives()


Case = Callable[[Play], Awaitable[None]]
ATTACKS: dict[Case, dict[str, str]] = {
    the_victims_session_confirms: {},
    the_sender_replays_the_handle: {},
    the_confirmation_names_no_user: {},
    the_confirmation_names_an_unknown_user: {},
    the_confirmation_has_no_key: {},
    the_confirmation_has_a_wrong_key: {},
    the_confirmation_has_a_reading_key: {},
    many_confirmations_race: {},
    the_handle_has_expired: {},
    the_link_has_expired: {},
    the_sender_loads_the_victims_callback: {},
    the_sender_loads_a_callback_with_another_code: {},
    the_sender_comes_with_headers: {},
    two_callbacks_race: {},
    two_flows_are_parallel: {SENDER: ADA},
    the_victim_has_a_flow_too: {VICTIM: GRACE},
    the_code_is_moved_to_another_flow: {},
    the_sender_passes_the_own_handle_on: {},
    the_link_is_bound_to_a_browser: {},
    a_proxy_names_the_victim: {},
    the_flow_has_no_return_to: {},
    the_request_leaves_the_confirmation_out: {},
    the_handle_is_guessed: {},
    the_sender_wants_to_replace_an_account: {SENDER: ADA},
    the_code_comes_back_after_a_wrong_confirmation: {},
    the_victim_does_nothing: {},
}
"""Each case, with the account of each user that is stored after it."""


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """The address of a sandbox that accepts the service's redirect URI."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_REDIRECT_URIS", f"{SOUND['PUBLIC_URL']}{CALLBACK}")
        with running_sandbox(0) as url:
            yield url


@pytest.fixture
async def play(database_url: Secret, sandbox_url: str) -> AsyncIterator[Play]:
    """The service over an empty database, and a sandbox without a grant."""
    async with open_edge(database_url, sandbox_url) as edge:
        await edge.calendly.control("POST", "/reset")
        yield Play(edge)


async def accounts(play: Play) -> dict[str, str]:
    """Return the address of the connected account of each user."""
    rows = await play.sql(
        "SELECT u.external_id, i.account_email FROM calendly_integration i"
        " JOIN app_user u ON u.id = i.user_id"
    )
    return dict(map(tuple, rows))


async def grants(play: Play, person: str) -> int:
    """Return how many grants a person has given, and end them."""
    ended = await play.edge.calendly.control("POST", f"/users/{person}/revoke")
    count: int = ended["revoked"]
    return count


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda each: each.__name__)
async def test_a_link_that_is_passed_on(
    play: Play, attack: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only a user who began and came back has an account stored; other codes leave no grant."""
    await attack(play)

    expected = ATTACKS[attack]
    assert await accounts(play) == expected
    assert await grants(play, GRACE) == list(expected.values()).count(GRACE)
    assert await grants(play, ADA) == list(expected.values()).count(ADA)
    shown = capsys.readouterr().out
    assert play.secrets
    assert [each for each in play.secrets if each in shown] == []
    written = str(await play.sql("SELECT * FROM calendly_connect_attempt"))
    assert [each for each in play.secrets if each in written] == []


async def test_what_nobody_confirms_is_swept(play: Play) -> None:
    """A code that was held too long is deleted by the daily job and by the next callback."""
    held = "SELECT 1 FROM calendly_connect_attempt WHERE code_sealed IS NOT NULL"
    over = (
        "UPDATE calendly_connect_attempt SET held_until = clock_timestamp() - interval '1 second'"
        " WHERE code_sealed IS NOT NULL RETURNING id"
    )
    await play.victim_arrives()
    await play.sql(over)

    await play.victim_arrives()
    after_callback = await play.sql(held)
    await play.sql(over)
    await play.edge.services.prune_webhooks("rest:", 100, lambda _: None)

    assert (len(after_callback), await play.sql(held)) == (1, [])
