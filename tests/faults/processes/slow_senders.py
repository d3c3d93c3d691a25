"""`python -m tests.faults.processes.slow_senders PORT SILENT SLOW STOP`: connections that stay.

SILENT connections send nothing, SLOW ones a header line twice a second, and one sends header lines
as fast as they are taken. A closed connection is opened again. When the file STOP exists, the process
ends and prints how often connections were closed, and how the endless head was answered.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

import msgspec

from adapters.local_stack.processes.ports import LOOPBACK
from adapters.system.open_files import raise_open_files

_START = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
_LINES = b"x-padding: " + b"x" * 1_000 + b"\r\n"
_PAUSE = 0.5


class Closed(msgspec.Struct):
    """How often each kind was closed by the service, and the statuses of the endless head."""

    silent: int = 0
    slow: int = 0
    endless: dict[int, int] = msgspec.field(default_factory=dict)
    endless_bytes: int = 0


async def _silent(port: int, closed: Closed) -> None:
    while True:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        with contextlib.suppress(OSError):
            await reader.read()
        closed.silent += 1
        writer.transport.abort()


async def _slow(port: int, closed: Closed) -> None:
    while True:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(_START)
        with contextlib.suppress(OSError):
            while not reader.at_eof():
                writer.write(b"a: b\r\n")
                await asyncio.wait([asyncio.ensure_future(reader.read(1))], timeout=_PAUSE)
        closed.slow += 1
        writer.transport.abort()


async def _endless(port: int, closed: Closed) -> None:
    while True:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
        writer.write(_START)
        with contextlib.suppress(OSError):
            while not answer.done():
                writer.write(_LINES)
                closed.endless_bytes += len(_LINES)
                await writer.drain()
                await asyncio.sleep(0)
        status = 0
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            status = int((await answer)[9:12])
        closed.endless[status] = closed.endless.get(status, 0) + 1
        writer.transport.abort()
        await asyncio.sleep(_PAUSE)


async def _main(port: int, silent: int, slow: int, stop: Path) -> None:
    closed = Closed()
    tasks = [
        *(asyncio.create_task(_silent(port, closed)) for _ in range(silent)),
        *(asyncio.create_task(_slow(port, closed)) for _ in range(slow)),
        asyncio.create_task(_endless(port, closed)),
    ]
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    while not stop.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.1)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    sys.stdout.write(msgspec.json.encode(closed).decode() + "\n")


if __name__ == "__main__":
    raise_open_files()
    port, silent, slow = map(int, sys.argv[1:4])
    asyncio.run(_main(port, silent, slow, Path(sys.argv[4])))
