"""A raw TCP peer: it sends exactly the given bytes, or hangs up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


class Talk:
    """One connection as the peer sees it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: "Peer"
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._peer = peer

    async def request(self) -> None:
        """Read a request's head; the bodies sent here are left unread."""
        self._peer.heads.append(await self._reader.readuntil(b"\r\n\r\n"))
        self._peer.asked.set()

    async def say(self, text: bytes) -> None:
        """Send these bytes."""
        self._writer.write(text)
        await self._writer.drain()

    def close(self) -> None:
        """Hang up in order."""
        self._writer.close()

    def abort(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()


Behaviour = Callable[[Talk], Awaitable[None]]


class Peer:
    """Serves one behaviour on a free port.

    Attributes:
        heads: the head of every request that was read.
        asked: set once the first was.
        connections: how many were accepted.

    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.url = ""
        self.heads: list[bytes] = []
        self.asked = asyncio.Event()
        self.connections = 0
        self._serving: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        self._serving.add(_current_task())
        talk = Talk(reader, writer, self)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._behaviour(talk)
        finally:
            talk.close()

    async def stop(self) -> None:
        """End every conversation."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


def _current_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task


@asynccontextmanager
async def listening(behaviour: Behaviour) -> AsyncIterator[Peer]:
    """Yield a listening peer."""
    peer = Peer(behaviour)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.url = f"http://localhost:{server.sockets[0].getsockname()[1]}"
    try:
        yield peer
    finally:
        server.close()
        await peer.stop()
