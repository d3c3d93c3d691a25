"""A network before PostgreSQL that can fall silent: what is sent on it is neither lost nor carried.

A connection that is silent stays established, and neither side hears of it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from adapters.local_stack.processes.ports import LOOPBACK

_CHUNK = 64 * 1024


class Network:
    """Carries connections to one address.

    Args:
        host: that it carries to.
        port: the same.

    Attributes:
        opened: connections carried so far.

    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._carries: set[asyncio.Event] = set()
        self._accepts = asyncio.Event()
        self._accepts.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.opened = 0

    def silence(self, *, new_ones: bool = False) -> None:
        """Carry nothing more on the connections of now; `new_ones`: and on none that follow."""
        for each in self._carries:
            each.clear()
        if new_ones:
            self._accepts.clear()

    def speak(self) -> None:
        """Carry new connections again; the silent ones stay silent."""
        self._accepts.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        self.opened += 1
        carries = asyncio.Event()
        if self._accepts.is_set():
            carries.set()
        self._carries.add(carries)
        there, back = await asyncio.open_connection(*self._target)
        try:
            await asyncio.gather(_pump(reader, back, carries), _pump(there, writer, carries))
        finally:
            self._carries.discard(carries)
            back.transport.abort()
            writer.transport.abort()

    def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until the network is closed."""
        task = asyncio.create_task(self.carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End every connection."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop closes aborted sockets in its next turn


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, carries: asyncio.Event
) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            await carries.wait()
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def open_network(url: str) -> AsyncIterator[tuple[Network, str]]:
    """Yield a network before the server of a URL, and the URL that leads through it."""
    parts = urlsplit(url)
    network = Network(str(parts.hostname), int(parts.port or 0))
    server = await asyncio.start_server(network.begin, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    login = parts.netloc.rpartition("@")[0]
    try:
        yield network, urlunsplit(parts._replace(netloc=f"{login}@{LOOPBACK}:{port}"))
    finally:
        server.close()
        await network.close()
