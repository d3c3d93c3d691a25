import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import pytest
import uvicorn

from adapters.local_stack.processes.ports import LOOPBACK
from adapters.web.http import bounded_protocol, read_concurrency
from adapters.web.http.bounded_protocol import MAX_HEAD, BoundedProtocol
from adapters.web.http.read_concurrency import MOST as MOST_WORKING
from adapters.web.http.refusals import REGISTRY
from adapters.web.middleware.read_turns import ReadTurns

GOOD = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
READ = b"GET /api/slow HTTP/1.1\r\nHost: x\r\n\r\n"
MOST = 12
ACROSS = 5.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


class Application:
    """Reads the body and answers 204; `/api/slow` waits until it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.bodies: list[bytes] = []
        self.headers: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Run one request (ASGI)."""
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        if scope["path"] == "/api/slow":
            await self.may.wait()
        self.bodies.append(body)
        self.headers.append(scope["headers"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def application() -> Application:
    """The application that the tests serve."""
    return Application()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time limits."""
    monkeypatch.setattr(bounded_protocol, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(bounded_protocol, "BODY_SECONDS", 0.4)


@pytest.fixture
async def connect(application: Application) -> AsyncIterator[Connect]:
    """Open a connection to a server."""
    config = uvicorn.Config(
        cast(Any, ReadTurns(cast(Any, application))),
        http=BoundedProtocol,
        limit_concurrency=MOST,
        log_config=None,
        lifespan="off",
        ws="none",
        host=LOOPBACK,
        port=0,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    opened: list[asyncio.StreamWriter] = []

    async def _connect() -> Streams:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        opened.append(writer)
        return reader, writer

    yield _connect
    application.may.set()
    for writer in opened:
        writer.transport.abort()
    await server.shutdown()
    await asyncio.sleep(0)


async def _ask(connect: Connect, request: bytes) -> bytes:
    """Return the status line of the answer."""
    reader, writer = await connect()
    writer.write(request)
    return await asyncio.wait_for(reader.readline(), ACROSS)


@pytest.mark.usefixtures("hurried")
async def test_a_silent_connection_is_closed(connect: Connect) -> None:
    """A connection without a head ends after its time limit."""
    reader, _ = await connect()

    assert await asyncio.wait_for(reader.read(), ACROSS) == b""


@pytest.mark.usefixtures("hurried")
async def test_a_slow_head_is_closed(connect: Connect) -> None:
    """The limit is for the whole head, even if bytes go on arriving; on a kept connection too."""
    for before in (b"", GOOD):
        reader, writer = await connect()
        writer.write(before)
        if before:
            await reader.readuntil(b"\r\n\r\n")
        began = time.monotonic()
        writer.write(b"GET / HTTP/1.1\r\n")
        while not reader.at_eof() and time.monotonic() - began < ACROSS:
            writer.write(b"a: b\r\n")
            # The server's close may reach us as a reset, because we go on writing.
            with suppress(TimeoutError, ConnectionResetError):
                await asyncio.wait_for(reader.read(1), 0.05)

        assert time.monotonic() - began < ACROSS


@pytest.mark.parametrize("line", [b"a: b\r\n" * 99, b"x" * 999])
@pytest.mark.parametrize("start", [b"GET /health/live HTTP/1.1\r\n", b"GET /"])
async def test_an_endless_head_is_refused(connect: Connect, start: bytes, line: bytes) -> None:
    """Header lines, one line, or an address without end get 431 after 64 KiB."""
    if start == b"GET /":
        line = b"x" * 999
    elif line[:1] == b"x":
        start += b"a: "
    reader, writer = await connect()
    writer.write(start)
    for _ in range(3 * MAX_HEAD // len(line)):
        if writer.is_closing():
            break
        writer.write(line)
        await asyncio.sleep(0)

    assert b" 431 " in await asyncio.wait_for(reader.readline(), ACROSS)


async def test_an_endless_trailer_is_refused(connect: Connect, application: Application) -> None:
    """Trailers count as a head does."""
    reader, writer = await connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    await asyncio.sleep(0.05)
    writer.write(b"0\r\na: ")
    for _ in range(300):
        writer.write(b"x" * 999)
        await asyncio.sleep(0)

    assert b" 431 " in await asyncio.wait_for(reader.readline(), ACROSS)
    assert application.bodies == []


async def test_a_large_body_is_not_a_large_head(
    connect: Connect, application: Application
) -> None:
    """A body that arrives together with its head does not count as a part of it, wherever the head is cut."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
    body = b"x" * 200_000
    for cut in (0, len(head) - 2, len(head) - 1):
        reader, writer = await connect()
        writer.write(head[:cut])
        await asyncio.sleep(0.02)
        writer.write(head[cut:] + body)

        assert b" 204 " in await asyncio.wait_for(reader.readline(), ACROSS)
    assert application.bodies == [body] * 3


async def test_small_chunks_are_a_body(connect: Connect, application: Application) -> None:
    """The framing of many small chunks is not mistaken for trailers."""
    reader, writer = await connect()
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100):
        writer.write(b"1\r\nx\r\n" * 300)
        await asyncio.sleep(0)
    writer.write(b"0\r\n\r\n")

    assert b" 204 " in await asyncio.wait_for(reader.readline(), ACROSS)
    assert application.bodies == [b"x" * 30_000]


@pytest.mark.usefixtures("hurried")
async def test_a_slow_body_is_refused(connect: Connect, application: Application) -> None:
    """The body of any route has a time limit, and the application learns of its end."""
    answer = await _ask(connect, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc")

    assert b" 408 " in answer
    assert application.bodies == []


async def test_many_silent_connections_cost_nobody_an_answer(connect: Connect) -> None:
    """Beyond the limit the oldest silent one is closed, and a kept one stays."""
    kept_reader, kept = await connect()
    kept.write(GOOD)
    await kept_reader.readuntil(b"\r\n\r\n")
    silent = [await connect() for _ in range(3 * MOST)]
    await asyncio.sleep(0.05)

    assert b" 204 " in await _ask(connect, GOOD)
    kept.write(GOOD)
    assert b" 204 " in await asyncio.wait_for(kept_reader.readline(), ACROSS)
    assert [reader.at_eof() for reader, _ in silent].count(True) >= 2 * MOST


async def test_the_limit_of_requests_spares_probes_and_webhooks(
    connect: Connect, application: Application
) -> None:
    """With as many requests under way as may be, only what must not wait is answered."""
    busy = [await connect() for _ in range(MOST)]
    for _, writer in busy:
        writer.write(READ)
    await asyncio.sleep(0.05)

    assert b" 503 " in await _ask(connect, READ)
    assert b" 204 " in await _ask(connect, GOOD)
    for path in (b"/api/calendly/webhooks", b"/metrics"):
        request = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        assert b" 204 " in await _ask(connect, request)
    application.may.set()
    for reader, _ in busy:
        assert b" 204 " in await asyncio.wait_for(reader.readline(), ACROSS)


async def test_a_limit_on_reads(connect: Connect, application: Application) -> None:
    """Reads beyond their limit are refused immediately, on a kept connection; probes are not."""
    await _ask(connect, GOOD)
    _limit_reads(2)
    busy = [await connect() for _ in range(2)]
    for _, writer in busy:
        writer.write(READ)
    await asyncio.sleep(0.05)

    reader, writer = await connect()
    for _ in range(2):
        writer.write(READ)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ACROSS)
        assert b" 503 " in head
        assert b"retry-after: 1" in head
        problem = json.loads(await reader.readexactly(_length(head)))
        assert (problem["code"], problem["status"]) == ("overloaded", 503)
    assert b" 204 " in await _ask(connect, GOOD)
    for _, each in busy:
        each.transport.abort()
    application.may.set()
    await asyncio.sleep(0.05)
    assert b" 204 " in await _ask(connect, READ)


async def test_a_read_whose_turn_does_not_come(
    connect: Connect, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused as one beyond the limit is, and counted; then the connection is kept."""
    monkeypatch.setattr(read_concurrency, "PATIENCE", 0.05)
    before = _refused("overloaded")
    busy = [await connect() for _ in range(MOST_WORKING)]
    for _, writer in busy:
        writer.write(READ)
    await asyncio.sleep(0.05)

    reader, writer = await connect()
    writer.write(READ)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ACROSS)
    assert b" 503 " in head
    assert b"retry-after: 1" in head
    assert json.loads(await reader.readexactly(_length(head)))["code"] == "overloaded"
    assert _refused("overloaded") == before + 1

    application.may.set()
    for each, _ in busy:
        assert b" 204 " in await asyncio.wait_for(each.readline(), ACROSS)
    writer.write(READ)
    assert b" 204 " in await asyncio.wait_for(reader.readline(), ACROSS)


def _refused(reason: str) -> float:
    name = "slotkeeper_requests_refused_total"
    return REGISTRY.get_sample_value(name, {"reason": reason}) or 0.0


def _limit_reads(most: int) -> None:
    for each in BoundedProtocol._admissions.values():
        each._most_reads = most


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
