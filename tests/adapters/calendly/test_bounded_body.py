"""Answers beyond the bound, compressed or not, over real sockets."""

import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from adapters.calendly.api import CalendlyApi
from adapters.calendly.bounded_body import MOST_BYTES, AnswerTooLarge
from adapters.calendly.http import open_http, send
from adapters.calendly.rate_budget import RateBudget
from adapters.calendly.wire.accounts import User
from adapters.calendly.wire.envelopes import Resource
from domain.circuit_breaker import is_answer, is_outage
from domain.errors import CalendlyAnswerTooLarge, CalendlyError, CalendlyUncertain, Kind
from tests.adapters.calendly.peer import Behaviour, Talk, listening
from tests.adapters.calendly.support import ACCESS, StillClock

SPACES = b" " * 2**20
ENDLESS = 400  # pieces of 1 MiB


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client on the network."""
    async with open_http() as opened:
        yield opened


def endless(status: bytes = b"200 OK", pieces: int = ENDLESS) -> Behaviour:
    """Answer with a chunked body of so many MiB."""

    async def talk_on(talk: Talk) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 " + status + b"\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(pieces):
            await talk.say(b"100000\r\n" + SPACES + b"\r\n")

    return talk_on


def compressed(
    body: bytes, encoding: bytes = b"gzip", status: bytes = b"200 OK", headers: bytes = b""
) -> Behaviour:
    """Answer with a body that is declared to be compressed."""

    async def answer(talk: Talk) -> None:
        await talk.request()
        head = b"HTTP/1.1 %s\r\n%scontent-encoding: %s\r\ncontent-length: %d\r\n\r\n"
        await talk.say(head % (status, headers, encoding, len(body)) + body)

    return answer


async def peak_of(client: httpx.AsyncClient, url: str) -> int:
    """Return the most bytes that Python held while an answer was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(AnswerTooLarge):
            await send(client, client.build_request("GET", url))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_an_endless_answer_is_left_at_the_bound(client: httpx.AsyncClient) -> None:
    """Of an answer of 400 MiB no more is held than the bound and what is being read."""
    async with listening(endless()) as peer:
        assert await peak_of(client, peer.url) < 3 * MOST_BYTES


async def test_what_expands_is_counted_expanded(client: httpx.AsyncClient) -> None:
    """A compressed answer of 400 KiB that expands to 400 MiB is refused, without expanding it."""
    bomb = gzip.compress(b" " * (ENDLESS * 2**20), compresslevel=1)
    async with listening(compressed(bomb)) as peer:
        assert await peak_of(client, peer.url) < 3 * MOST_BYTES


async def test_a_compressed_answer_is_read(client: httpx.AsyncClient) -> None:
    """Compression that was asked for is undone."""
    async with listening(compressed(gzip.compress(b'{"resource": 1}'))) as peer:
        response = await send(client, client.build_request("GET", peer.url))

    assert response.json() == {"resource": 1}


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"gzip, gzip"])
async def test_compression_that_is_not_what_it_says(
    client: httpx.AsyncClient, encoding: bytes
) -> None:
    """An answer that cannot be decompressed is a failed request."""
    async with listening(compressed(b"no such format", encoding)) as peer:
        with pytest.raises(httpx.DecodingError):
            await send(client, client.build_request("GET", peer.url))


async def test_a_refusal_keeps_its_status(client: httpx.AsyncClient) -> None:
    """A refusal with a huge body is known by its status: an outage stays an outage."""
    async with listening(endless(b"503 Service Unavailable")) as peer:
        response = await send(client, client.build_request("GET", peer.url))

    assert (response.status_code, response.content) == (503, b"")


@pytest.mark.parametrize("encoding", [b"gzip", b"br"])
async def test_a_refusal_that_cannot_be_decompressed_keeps_its_status(
    client: httpx.AsyncClient, encoding: bytes
) -> None:
    """A broken body of a 429 does not hide how long to wait."""
    refusal = compressed(
        b"no such format", encoding, b"429 Too Many Requests", b"retry-after: 7\r\n"
    )
    async with listening(refusal) as peer:
        response = await send(client, client.build_request("GET", peer.url))

    assert (response.status_code, response.content) == (429, b"")
    assert response.headers["retry-after"] == "7"


def api(client: httpx.AsyncClient, url: str) -> CalendlyApi:
    return CalendlyApi(client, api_url=url, budget=RateBudget(StillClock()))


async def read(client: httpx.AsyncClient, url: str) -> object:
    return await api(client, url).get(ACCESS, "/users/me", Resource[User])


async def write(client: httpx.AsyncClient, url: str) -> object:
    return await api(client, url).post(ACCESS, "/invitees", {}, Resource[User])


@pytest.mark.parametrize(
    ("call", "error", "outage"),
    [(read, CalendlyAnswerTooLarge, False), (write, CalendlyUncertain, True)],
)
async def test_a_huge_answer_is_temporary(
    client: httpx.AsyncClient,
    call: Callable[..., object],
    error: type[CalendlyError],
    outage: bool,
) -> None:
    """The call fails with its own code; a breaker counts it where it leaves a doubt."""
    async with listening(endless()) as peer:
        with pytest.raises(error) as failure:
            await call(client, peer.url)  # type: ignore[misc]

    assert failure.value.kind is Kind.TRANSIENT
    assert is_outage(failure.value) is outage
    assert not is_answer(failure.value)
    assert "8 MiB" in failure.value.message
