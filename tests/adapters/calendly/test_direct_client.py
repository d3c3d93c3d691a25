import asyncio

import httpx
import pytest

from adapters.calendly.direct_client import DirectClient
from adapters.calendly.http import open_http, send
from tests.adapters.calendly.peer import Talk, listening


async def test_a_closed_client_sends_nothing() -> None:
    """After the service has closed its client no request leaves any more."""
    seen: list[httpx.Request] = []
    client = DirectClient(httpx.MockTransport(lambda request: _kept(seen, request)))
    await client.aclose()

    with pytest.raises(RuntimeError):
        await client.send(client.build_request("GET", "https://api.test/"))

    assert seen == []


async def test_the_transport_gets_the_time_outs() -> None:
    """A request that says nothing else is held to the client's time-outs."""
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: _kept(seen, request))
    async with DirectClient(transport, timeout=httpx.Timeout(7, connect=3)) as client:
        await client.send(client.build_request("GET", "https://api.test/"))
        await client.send(httpx.Request("GET", "https://api.test/"))

    expected = {"connect": 3, "read": 7, "write": 7, "pool": 7}
    assert [each.extensions["timeout"] for each in seen] == [expected, expected]


async def test_an_abandoned_answer_gives_its_connection_back() -> None:
    """A caller that leaves in the middle of an answer does not use up the pool."""

    async def half_of_an_answer(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}")
        await asyncio.sleep(60)

    async with (
        open_http(connect_timeout=0.3, connections=1) as narrow,
        listening(half_of_an_answer) as peer,
    ):
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                await send(narrow, narrow.build_request("GET", peer.url), deadline=0.1)

    assert len(peer.heads) == 2


def _kept(seen: list[httpx.Request], request: httpx.Request) -> httpx.Response:
    seen.append(request)
    return httpx.Response(200)
