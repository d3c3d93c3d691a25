"""`python -m tests.faults.processes.readers PORT PER_SECOND KEY USER STOP`: reads of the API.

They are sent at that rate, whether they are answered or not, over kept connections. PORT 0 is a
sink within this process: the same readers, and the service is spared. When the file STOP exists,
the process ends and prints the answers by status.
"""

import asyncio
import contextlib
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from adapters.local_stack.processes.ports import LOOPBACK

CONNECTIONS = 200
_ANSWER_SECONDS = 30.0
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Readers:
    """Sends on a free connection; a request that finds none is counted as 0."""

    def __init__(self, port: int, key: str, user: str) -> None:
        self._port = port
        self._request = (
            f"GET /api/calendly/bookings HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\n"
            f"Authorization: Bearer {key}\r\nX-User-Id: {user}\r\n\r\n"
        ).encode()
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._open = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.answers: Counter[int] = Counter()

    async def send(self, per_second: int, stop: Path) -> None:
        """Send until the file exists."""
        began, sent = time.monotonic(), 0
        while not stop.exists():  # noqa: ASYNC240 - another process makes it
            while sent < (time.monotonic() - began) * per_second:
                sent += 1
                self._start()
            await asyncio.sleep(0.01)
        await asyncio.wait(self._tasks or {asyncio.create_task(asyncio.sleep(0))})

    def _start(self) -> None:
        if len(self._tasks) >= CONNECTIONS:
            self.answers[0] += 1
            return
        task = asyncio.create_task(self._read())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self) -> None:
        status = 0
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                streams = (
                    self._free.pop()
                    if self._free
                    else await asyncio.open_connection(LOOPBACK, self._port)
                )
                streams[1].write(self._request)
                head = await streams[0].readuntil(b"\r\n\r\n")
                await streams[0].readexactly(_length(head))
                status = int(head[9:12])
                self._free.append(streams)
        self.answers[status] += 1


def _length(head: bytes) -> int:
    value = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return int(value or 0)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_ANSWER)
    writer.close()


def _report(what: object) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


async def _main(port: int, per_second: int, key: str, user: str, stop: str) -> None:
    if port == 0:
        sink = await asyncio.start_server(_answer, LOOPBACK, 0)
        port = sink.sockets[0].getsockname()[1]
    readers = Readers(port, key, user)
    _report("begins")
    await readers.send(per_second, Path(stop))
    _report(readers.answers)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:6]))
