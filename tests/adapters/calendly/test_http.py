import logging
from importlib.metadata import version

import httpx
import pytest

from adapters.calendly.http import open_http, send
from tests.adapters.calendly.peer import Talk, listening


def quick(response: httpx.Response) -> httpx.AsyncClient:
    """A client whose every request gets this answer."""
    return open_http(transport=httpx.MockTransport(lambda _: response))


async def test_the_client_says_who_it_is() -> None:
    """Requests carry the product's name and version, and ask for JSON."""
    async with quick(httpx.Response(200)) as client:
        headers = client.build_request("GET", "https://api.test/").headers

    assert headers["user-agent"] == f"Slotkeeper/{version('slotkeeper')}"
    assert headers["accept"] == "application/json"


async def test_times_out_as_configured() -> None:
    """Connecting takes five seconds and reading ten at most, unless the settings differ."""
    async with open_http() as client, open_http(connect_timeout=1, read_timeout=2) as other:
        assert (client.timeout.connect, client.timeout.read) == (5, 10)
        assert (other.timeout.connect, other.timeout.read) == (1, 2)


async def test_a_redirect_is_an_answer() -> None:
    """A redirect is handed back, never followed with the token."""
    redirect = httpx.Response(302, headers={"location": "https://evil.example/"})
    async with quick(redirect) as client:
        answer = await send(client, client.build_request("GET", "https://api.test/"))

    assert answer.status_code == 302


async def test_no_cookie_is_carried_from_one_user_to_another() -> None:
    """A cookie that one answer sets is not sent with the next request."""

    async def baker(talk: Talk) -> None:
        while True:
            await talk.request()
            await talk.say(
                b"HTTP/1.1 200 OK\r\nset-cookie: __cf_bm=ada; Path=/\r\ncontent-length: 0\r\n\r\n"
            )

    async with open_http() as client, listening(baker) as peer:
        for _ in range(2):
            await send(client, client.build_request("GET", peer.url))

    assert len(peer.heads) == 2
    assert b"cookie" not in peer.heads[1].lower()
    assert not client.cookies


async def test_a_url_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An e-mail in a query stays out of every log, even at the lowest level."""
    caplog.set_level(logging.DEBUG)

    async def empty(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with open_http() as client, listening(empty) as peer:
        params = {"invitee_email": "grace@example.net"}
        await send(client, client.build_request("GET", peer.url, params=params))

    assert "grace" not in caplog.text
