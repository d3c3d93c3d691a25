"""Failures of real sockets. A refresh token's life depends on each assertion here."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.calendly.http import open_http, send, send_and_wait
from tests.adapters.calendly.peer import Behaviour, Talk, listening

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client with short time-outs."""
    async with open_http(connect_timeout=0.5, read_timeout=0.3) as opened:
        yield opened


async def hang_up(talk: Talk) -> None:
    """Read the request, then close without an answer."""
    await talk.request()
    talk.close()


async def reset(talk: Talk) -> None:
    """Read the request, then reset the connection."""
    await talk.request()
    talk.abort()


async def half_a_body(talk: Talk) -> None:
    """Promise ten bytes, send two, close."""
    await talk.request()
    await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}")


async def noise(talk: Talk) -> None:
    """Answer with what is not HTTP."""
    await talk.request()
    await talk.say(b"220 mail.example ESMTP\r\n\r\n")


async def silence(talk: Talk) -> None:
    """Read the request and say nothing until the other side leaves."""
    await talk.request()
    await asyncio.sleep(60)


async def answer(talk: Talk) -> None:
    """Answer every request of the connection."""
    while True:
        await talk.request()
        await talk.say(OK)


async def one_answer(talk: Talk) -> None:
    """Answer once as if the connection stayed, then hang up on the next request."""
    await talk.request()
    await talk.say(OK)
    await talk.request()
    talk.close()


async def trickle(talk: Talk) -> None:
    """Send a byte now and then, for ever."""
    await talk.request()
    await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    for _ in range(1000):
        await talk.say(b" ")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("behaviour", [hang_up, reset, half_a_body, noise, silence])
async def test_a_request_that_was_read_never_looks_unsent(
    client: httpx.AsyncClient, behaviour: Behaviour
) -> None:
    """A peer that fails after it read a request causes no connect error and no repetition."""
    async with listening(behaviour) as peer:
        with pytest.raises(httpx.HTTPError) as caught:
            await send(client, client.build_request("POST", peer.url, content=b""))

        assert not isinstance(
            caught.value, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout
        )
        assert len(peer.heads) == 1


async def test_a_kept_connection_that_dies_is_not_taken_for_a_refused_one(
    client: httpx.AsyncClient,
) -> None:
    """The second request on a connection may have been read even if no answer comes."""
    async with listening(one_answer) as peer:
        await send(client, client.build_request("POST", peer.url, content=b"a=1"))

        with pytest.raises(httpx.ReadError):
            await send(client, client.build_request("POST", peer.url, content=b"a=1"))

        assert len(peer.heads) == 2


async def test_a_refused_connection_is_a_connect_error(client: httpx.AsyncClient) -> None:
    """Nothing listening means that nothing left."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
            await send(client, client.build_request("POST", url, content=b"a=1"))


async def test_a_full_pool_is_a_connect_error() -> None:
    """A request that never gets a connection has not left."""
    async with (
        open_http(connect_timeout=0.1, read_timeout=5, connections=1) as narrow,
        listening(silence) as peer,
    ):
        first = asyncio.create_task(send(narrow, narrow.build_request("POST", peer.url)))
        await peer.asked.wait()

        with pytest.raises((httpx.ConnectTimeout, httpx.PoolTimeout)):
            await send(narrow, narrow.build_request("POST", peer.url))

        assert len(peer.heads) == 1
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_a_trickling_answer_has_a_deadline(client: httpx.AsyncClient) -> None:
    """An answer that never ends is given up as a whole, byte by byte or not."""
    async with listening(trickle) as peer:
        sent = client.build_request("POST", peer.url)

        with pytest.raises(httpx.ReadTimeout):
            await asyncio.wait_for(send(client, sent, deadline=0.2), timeout=2)


async def test_an_answer_that_came_while_the_loop_was_stopped_is_read() -> None:
    """Timers that are due when the process goes on do not cost the answer in its socket."""
    async with open_http(connect_timeout=0.2, read_timeout=0.3) as client:
        stuck = asyncio.Event()

        async def answer_and_stop(talk: Talk) -> None:
            await talk.request()
            await talk.say(OK)
            stuck.set()

        async with listening(answer_and_stop) as peer:
            waiting = asyncio.ensure_future(
                send_and_wait(client, client.build_request("POST", peer.url))
            )
            await stuck.wait()
            time.sleep(1.0)  # noqa: ASYNC251 - the whole loop is stopped

            assert (await waiting).status_code == 200


async def test_a_silent_peer_is_given_up_all_the_same() -> None:
    """Without an answer the wait ends after the read and connect time-outs together."""
    async with (
        open_http(connect_timeout=0.1, read_timeout=0.2) as client,
        listening(silence) as peer,
    ):
        with pytest.raises(httpx.ReadTimeout):
            await asyncio.wait_for(
                send_and_wait(client, client.build_request("POST", peer.url)), timeout=3
            )


async def test_a_connection_is_used_again(client: httpx.AsyncClient) -> None:
    """Calls one after the other share a connection."""
    async with listening(answer) as peer:
        for _ in range(3):
            await send(client, client.build_request("GET", peer.url))

        assert (peer.connections, len(peer.heads)) == (1, 3)
