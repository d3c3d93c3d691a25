"""A web process that strangers flood while Calendly delivers: refusing must cost next to nothing.

`python -m tests.faults.hostile_traffic PORT COUNT CONNECTIONS` is the flood, as a process of its
own: deliveries without a signature, with a forged, stale or broken one, and oversized ones,
announced, chunked or really sent. Nothing of it may be stored.
"""

import asyncio
import contextlib
import hmac
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from random import Random
from typing import ClassVar, NamedTuple

import asyncpg
import msgspec

from adapters.local_stack.http_probe import answers_ok
from adapters.local_stack.ports import LOOPBACK, free_port
from adapters.local_stack.waiting import wait_until_ready
from adapters.web.webhook_door import WEBHOOKS_PATH
from bench.ingest.bodies import SIGNING_KEY, Host, request_to
from bench.ingest.load import Order, send
from bench.ingest.usage import resident
from domain.subscription import new_key
from tests.faults import accounts
from tests.faults.rig import Rig, Running, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize

HOSTS, BATCH = 10, 200
SLOWER, LARGER = 3.0, 1.2
MAX_BYTES = 1024 * 1024  # the service's own limit
REFUSALS = {400, 401, 413}
_COUNTS = "SELECT (SELECT count(*) FROM calendly_webhook_event), count(*) FROM calendly_booking"
_SENT_WHOLE = 0.005  # of the flood; a megabyte each
_ANNOUNCED = 0.3


class Size(AnySize, frozen=True):
    """How many hostile requests, over how many connections, beside how many of Calendly's.

    Args:
        hostile: requests that must be refused.
        calm: good ones before the flood, to compare with.
        warm: good ones before these, so that memory has its size.
        connections: of the good ones, all busy all the time.
        flooding: connections of the flood, all busy all the time.

    """

    SCALES: ClassVar[tuple[str, ...]] = ("hostile", "calm")
    hostile: int
    calm: int
    warm: int = 2_000
    connections: int = 32
    flooding: int = 32


FULL = Size(hostile=100_000, calm=10_000)
SMALL = Size(hostile=1_500, calm=600, warm=400)


class Flooded(msgspec.Struct, frozen=True):
    """What was seen: milliseconds, bytes, answers by status.

    Args:
        calm, flooded: the good ones' p99.
        before, peak: memory of the web process, at its most each.
        good: answers to the good ones.
        refused: answers to the flood; status 0 is a connection that was closed unanswered.
        stored: webhooks and bookings in the database.

    """

    calm: float
    flooded: float
    before: int
    peak: int
    good: Counter[int]
    refused: dict[int, int]
    stored: tuple[int, int]


async def run(size: Size) -> list[Row]:
    """Deliver in calm, then in the flood, to one and the same process."""
    settings = {"CALENDLY_WEBHOOK_SIGNING_KEY": SIGNING_KEY, "LOG_LEVEL": "warning"}
    async with open_rig(users=HOSTS, settings=settings) as rig:
        port = free_port()
        web = rig.run("adapters.cli", "web", "--port", str(port))
        ready = partial(answers_ok, f"http://{LOOPBACK}:{port}/health/live")
        await asyncio.to_thread(wait_until_ready, web.child, ready, 60.0)
        sender = _Sender(port, await _hosts(rig), size.connections, web)
        seen = await _measure(rig, sender, size)
        await web.stop()
    return [_row(size, seen)]


async def _measure(rig: Rig, sender: "_Sender", size: Size) -> Flooded:
    await sender.deliver(size.warm)
    warm = sender.taken()
    await sender.deliver(size.calm)
    calm = sender.taken()
    flood = rig.run(__spec__.name, str(sender.port), str(size.hostile), str(size.flooding))
    await flood.says()
    while flood.child.exit_status() is None:
        await sender.deliver(BATCH)
    during = sender.taken()
    return Flooded(
        calm=calm.p99,
        flooded=during.p99,
        before=max(warm.peak, calm.peak),
        peak=during.peak,
        good=warm.answers + calm.answers + during.answers,
        refused=msgspec.json.decode(await flood.done(within=60), type=dict[int, int]),
        stored=await _stored(rig),
    )


class _Taken(NamedTuple):
    p99: float
    peak: int
    answers: Counter[int]


class _Sender:
    """Calendly, which delivers over some connections, and watches the process meanwhile."""

    def __init__(self, port: int, hosts: list[Host], connections: int, web: Running) -> None:
        self.port = port
        self._hosts, self._connections, self._web = hosts, connections, web
        self._latencies: list[float] = []
        self._peak, self._answers = 0, Counter[int]()

    async def deliver(self, count: int) -> None:
        """Deliver so many, and remember how it went."""
        order = Order(self.port, count, self._connections, self._hosts)
        sending = asyncio.create_task(send(order))
        while not sending.done():
            self._peak = max(self._peak, resident(self._web.child.pid))
            await asyncio.wait([sending], timeout=0.1)
        seen = await sending
        self._answers.update(seen.statuses)
        self._latencies += seen.latencies

    def taken(self) -> _Taken:
        """Return the p99 (ms), the most memory (bytes) and the answers since the last time."""
        ordered = sorted(self._latencies)
        taken = _Taken(ordered[len(ordered) * 99 // 100] * 1000, self._peak, self._answers)
        self._latencies, self._peak, self._answers = [], 0, Counter()
        return taken


async def _hosts(rig: Rig) -> list[Host]:
    connected = await accounts.connect(rig, HOSTS, expires_in=timedelta(days=1))
    hosts = []
    async with rig.storage() as uow:
        for each in connected:
            integration = await uow.integrations.get(each.id)
            assert integration is not None
            path = f"{WEBHOOKS_PATH}/{new_key(each.id, 'subscription')}"
            hosts.append(Host(path, integration.account.user_uri))
    return hosts


async def _stored(rig: Rig) -> tuple[int, int]:
    connection = await asyncpg.connect(rig.postgres.dsn)
    row = await connection.fetchrow(_COUNTS)
    await connection.close()
    return row[0], row[1]


def _row(size: Size, seen: Flooded) -> Row:
    slower, larger = seen.flooded / seen.calm, seen.peak / seen.before
    good, cut = seen.good[204], seen.refused.get(0, 0)
    refused = sum(seen.refused.get(status, 0) for status in REFUSALS)
    return Row(
        what=f"{size.hostile:,} unsigned, forged, stale, malformed or oversized requests over"
        f" {size.flooding} connections, while deliveries come over {size.connections}",
        must=f"all refused, p99 of the good ones within {SLOWER:.0f} times calm, memory of the web"
        f" process within {LARGER} times, only the good ones stored",
        seen=f"{refused:,} refused, {cut:,} cut off; p99 {seen.flooded:.0f} ms against"
        f" {seen.calm:.0f} ms: {slower:.2f} times; RSS {seen.peak / 1e6:.0f} MB against"
        f" {seen.before / 1e6:.0f} MB: {larger:.2f} times; of {seen.good.total():,} good ones"
        f" {good:,} answered 204, {seen.stored[0]:,} stored, {seen.stored[1]:,} bookings",
        holds=refused + cut == size.hostile
        and slower <= SLOWER
        and larger <= LARGER
        and (good, good) == seen.stored
        and good == seen.good.total(),
    )


class Flood:
    """Strangers on some connections, who send as fast as they are refused."""

    def __init__(self, port: int) -> None:
        self._port = port
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
            status, open_ = 0, False
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
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
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
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


def _head(port: int) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % (WEBHOOKS_PATH.encode(), port)


def _signed(body: bytes, at: int, key: str) -> bytes:
    digest = hmac.digest(key.encode(), b"%d." % at + body, "sha256").hex()
    return b"t=%d,v1=%s" % (at, digest.encode())


def _tell(what: object) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


async def _main(port: int, count: int, connections: int) -> None:
    _tell("begins")
    flood = Flood(port)
    await flood.send(count, connections)
    _tell(flood.answers)


if __name__ == "__main__":
    asyncio.run(_main(*map(int, sys.argv[1:])))
