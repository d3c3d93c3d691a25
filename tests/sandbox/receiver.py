"""A webhook endpoint for tests: stores raw requests and answers with a given status."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import msgspec


@dataclass
class Received:
    """One request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return msgspec.json.decode(self.body)


@dataclass
class Receiver:
    """Answers `status`, or the scripted `statuses` first; status 0 never answers."""

    status: int = 200
    statuses: deque[int] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        """Where to subscribe."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}/hook"

    async def wait(self, count: int) -> list[Received]:
        """The first `count` requests, once they have come."""
        async with asyncio.timeout(5):
            while len(self.received) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.received[:count]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, *lines = head.strip().split("\r\n")
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.received.append(Received(request.split(" ")[1], headers, body))
            self._arrived.set()
            await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = self.statuses.popleft() if self.statuses else self.status
        if status == 0:
            await reader.read()  # until the other side gives up
            return
        location = "Location: http://127.0.0.1:9/\r\n" if 300 <= status < 400 else ""
        more = f"{location}Connection: close\r\nContent-Length: 0\r\n\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\n{more}".encode())
        await writer.drain()
