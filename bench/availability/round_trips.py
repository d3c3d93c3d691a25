"""Counts round trips to PostgreSQL between a client and the server.

A client requests a response with a Query or, in the extended protocol, with a Sync or a Flush.
Each of them is a round trip, whatever else was sent with it (PostgreSQL: Frontend/Backend
Protocol).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_REQUESTS = frozenset({b"Q", b"S", b"H"})
_ENCRYPTION_REQUESTS = frozenset({80877103, 80877104})  # SSLRequest, GSSENCRequest
_CHUNK = 65_536


class RoundTripCounter:
    """A proxy of a PostgreSQL server; `port` is where clients connect."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self.port = 0
        self.count = 0

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side closes it."""
        responses, server = await asyncio.open_connection("127.0.0.1", self._server_port)
        await asyncio.gather(self._forward_requests(reader, server), _copy(responses, writer))

    async def _forward_requests(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        with suppress(asyncio.IncompleteReadError):
            # The first messages have no type.
            while int.from_bytes((startup := await _read(reader))[4:8]) in _ENCRYPTION_REQUESTS:
                server.write(startup)
            server.write(startup)
            while kind := await reader.readexactly(1):
                self.count += kind in _REQUESTS
                server.write(kind + await _read(reader))
        server.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length) - 4)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def counted_round_trips(server_port: int) -> AsyncIterator[RoundTripCounter]:
    """A proxy of the server, at a free port."""
    counter = RoundTripCounter(server_port)
    async with await asyncio.start_server(counter.forward, "127.0.0.1", 0) as server:
        counter.port = server.sockets[0].getsockname()[1]
        yield counter
