"""Counts round trips to PostgreSQL where they pass: between the client and the server.

A client asks for an answer by a Query or, in the extended protocol, by a Sync or a Flush; each of
them is a round trip, whatever else was sent with it (PostgreSQL: Frontend/Backend Protocol).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_ASKING = frozenset(b"QSH")
_TO_BE_ANSWERED_BY_A_BYTE = frozenset({80877103, 80877104})  # SSLRequest, GSSENCRequest
_CHUNK = 65_536


class Wire:
    """Passes connections on to a server.

    Attributes:
        port: where to connect instead.
        trips: how often a client asked for an answer so far.

    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.trips = 0

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side leaves."""
        theirs, ours = await asyncio.open_connection("127.0.0.1", self._server_port)
        back = asyncio.create_task(_copy(theirs, writer))
        self._tasks.add(back)
        back.add_done_callback(self._tasks.discard)
        counter = _Messages()
        while data := await reader.read(_CHUNK):
            self.trips += counter.asking(data)
            ours.write(data)
        ours.close()


class _Messages:
    """Takes apart what a client sends."""

    def __init__(self) -> None:
        self._left = b""
        self._began = False

    def asking(self, data: bytes) -> int:
        """Return how many of the messages that are now complete want an answer."""
        self._left, trips = self._left + data, 0
        while True:
            head = 1 if self._began else 0
            if len(self._left) < head + 4:
                return trips
            end = head + int.from_bytes(self._left[head : head + 4])
            if len(self._left) < end:
                return trips
            message, self._left = self._left[:end], self._left[end:]
            if self._began:
                trips += message[0] in _ASKING
            else:
                self._began = int.from_bytes(message[4:8]) not in _TO_BE_ANSWERED_BY_A_BYTE


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def wire_to(server_port: int) -> AsyncIterator[Wire]:
    """A wire at a free port."""
    wire = Wire(server_port)
    server = await asyncio.start_server(wire.pass_on, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
