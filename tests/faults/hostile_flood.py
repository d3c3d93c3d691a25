"""Strangers who send what must be refused, as a process of their own.

`python -m tests.faults.hostile_flood PORT COUNT CONNECTIONS`: deliveries without a signature, with
a forged, stale or broken one, and oversized ones, announced, chunked or really sent. PORT 0 is a
sink within this process, which refuses everything: the same strangers, and the service is spared.
The process takes SHARE of a processor, neither more nor less: what it costs the machine is the
same wherever it sends to.
"""

import asyncio
import contextlib
import hmac
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

import msgspec

from adapters.local_stack.processes.ports import LOOPBACK
from adapters.web.middleware.webhook_fast_path import WEBHOOKS_PATH
from bench.ingest.bodies import SIGNING_KEY, Host, request_to

SHARE = 0.2
MAX_BYTES = 1024 * 1024  # the service's own limit
_SENT_WHOLE = 0.005  # of the flood; a megabyte each
_ANNOUNCED = 0.3
_ANSWER_SECONDS = 30.0
_SAVED = 0.05  # seconds; what was not used in time is not made up for
_REFUSAL = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


class Pace:
    """Holds a process to its share of a processor."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()  # else all would wake together
        self._since = time.monotonic() - time.process_time() / SHARE

    async def keep(self) -> None:
        """Wait until the processor time used so far is no more than the share."""
        async with self._turn:
            earned = time.monotonic() - self._since - time.process_time() / SHARE
            if earned < 0:
                await asyncio.sleep(-earned)
            elif earned > _SAVED:
                self._since += earned - _SAVED


class Flood:
    """Strangers on some connections; each sends its next once it was refused, if the pace lets it.

    Attributes:
        answers: how many by status; 0 is a connection that was closed unanswered, or stayed silent.

    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._pace = Pace()
        self._random = Random("strangers")  # noqa: S311 - a mixture, not a secret
        self.answers: Counter[int] = Counter()
        self._host = Host(WEBHOOKS_PATH, "https://api.calendly.com/users/NOBODY")
        self._good = request_to(self._host, port)

    async def send(self, count: int, connections: int) -> None:
        """Send so many."""
        turns = iter(range(count))
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(self._stranger(turns))

    async def _stranger(self, turns: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        for _ in turns:
            await self._pace.keep()
            status, open_ = 0, False
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    status, open_ = await self._one(reader, writer)
            self.answers[status] += 1
            if not open_:
                writer.close()
                reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        writer.close()

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[int, bool]:
        """Send one request; return its answer's status, and whether another may follow."""
        oversized = self._random.random()
        if oversized < _SENT_WHOLE:
            writer.write(self._chunked())
        elif oversized < _SENT_WHOLE + _ANNOUNCED:
            writer.write(self._announced())
        else:
            writer.write(self._badly_signed())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_length(head))
        return int(head[9:12]), oversized >= _SENT_WHOLE + _ANNOUNCED

    def _badly_signed(self) -> bytes:
        head, _, body = self._good.partition(b"\r\n\r\n")
        signature = self._signature(body)
        lines = [each for each in head.split(b"\r\n") if b"Signature" not in each]
        if signature is not None:
            lines.append(b"Calendly-Webhook-Signature: " + signature)
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _signature(self, body: bytes) -> bytes | None:
        now = int(time.time())
        return self._random.choice(
            (
                None,
                b"",
                b"t=%d" % now,
                b"v1=" + b"0" * 64,
                b"t=%d,v1=%s" % (now, b"0" * 64),
                b"t=%d,v1=%s" % (now, b"zz" * 2_000),
                _signed(body, now - 3_600, SIGNING_KEY),
                _signed(body, now, "another key"),
            )
        )

    def _announced(self) -> bytes:
        """Return the head alone; the answer must not wait for the rest."""
        length = self._random.choice((MAX_BYTES + 1, 10**9, 10**15))
        return _head(self._port) + b"Content-Length: %d\r\n\r\n" % length

    def _chunked(self) -> bytes:
        """Return one that does not say how long it will be."""
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        return _head(self._port) + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of a connection as the service would, at the least cost."""
    plain = True
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while plain:
            head = await reader.readuntil(b"\r\n\r\n")
            plain = b"chunked" not in head and _length(head) <= MAX_BYTES
            if plain:
                await reader.readexactly(_length(head))
            writer.write(_REFUSAL)
    writer.close()


def _length(head: bytes) -> int:
    """Return the length of the body (bytes) that a head announces."""
    value = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return int(value or 0)


def _head(port: int) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % (WEBHOOKS_PATH.encode(), port)


def _signed(body: bytes, at: int, key: str) -> bytes:
    digest = hmac.digest(key.encode(), b"%d." % at + body, "sha256").hex()
    return b"t=%d,v1=%s" % (at, digest.encode())


def _tell(what: object) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


async def _main(port: int, count: int, connections: int) -> None:
    if port == 0:
        sink = await asyncio.start_server(_refuse, LOOPBACK, 0)
        port = sink.sockets[0].getsockname()[1]
    _tell("begins")
    flood = Flood(port)
    await flood.send(count, connections)
    _tell(flood.answers)


if __name__ == "__main__":
    asyncio.run(_main(*map(int, sys.argv[1:])))
