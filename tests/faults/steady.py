"""Calendly's deliveries at a steady rate, each over a connection of its own, and again if refused."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import asyncpg

from adapters.local_stack.processes.ports import LOOPBACK
from adapters.web.middleware.webhook_fast_path import WEBHOOKS_PATH
from bench.ingest.bodies import SIGNING_KEY, Host, request_to
from domain.subscription import new_key
from tests.faults import accounts
from tests.faults.rig import Rig, Running

SETTINGS = {"CALENDLY_WEBHOOK_SIGNING_KEY": SIGNING_KEY, "LOG_LEVEL": "warning"}
STORED = 204
_ANSWER_SECONDS = 30.0
_REPEATS_FOR = 30.0


class Answer(NamedTuple):
    """When a request was sent (monotonic clock), seconds until its answer, the status; 0: none."""

    at: float
    seconds: float
    status: int

    @property
    def until(self) -> float:
        """When it was answered."""
        return self.at + self.seconds


class Deliveries:
    """Sends to one port, to each host in turn.

    Attributes:
        answers: to each delivery, its repetitions not among them.
        sent: distinct deliveries.

    """

    def __init__(self, port: int, hosts: list[Host], per_second: int) -> None:
        self._port, self._hosts, self._pause = port, hosts, 1 / per_second
        self._refused: list[bytes] = []
        self.answers: list[Answer] = []
        self.sent = 0

    async def send_for(self, seconds: float) -> list[Answer]:
        """Send so long; returns when all are answered."""
        before = len(self.answers)
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            while (now := time.monotonic()) < until:
                host = self._hosts[self.sent % len(self._hosts)]
                self.sent += 1
                group.create_task(self._deliver(request_to(host, self._port)))
                await asyncio.sleep(max(0.0, now + self._pause - time.monotonic()))
        return self.answers[before:]

    async def repeat(self) -> int:
        """Send again what was refused, until nothing is; return how many stay refused."""
        until = time.monotonic() + _REPEATS_FOR
        while self._refused and time.monotonic() < until:
            again, self._refused = self._refused, []
            for request in again:
                if (await ask(self._port, request)).status != STORED:
                    self._refused.append(request)
        return len(self._refused)

    async def _deliver(self, request: bytes) -> None:
        answer = await ask(self._port, request)
        self.answers.append(answer)
        if answer.status != STORED:
            self._refused.append(request)


async def ask(port: int, request: bytes) -> Answer:
    """Send a request over a connection of its own."""
    began, status = time.monotonic(), 0
    with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(request)
                status = int((await reader.readuntil(b"\r\n\r\n"))[9:12])
            finally:
                writer.transport.abort()
    return Answer(began, time.monotonic() - began, status)


async def probe(port: int, work: Awaitable[object], every: float = 0.25) -> list[Answer]:
    """Ask `/health/live` while the work goes on."""
    request = b"GET /health/live HTTP/1.1\r\nHost: %s\r\n\r\n" % LOOPBACK.encode()
    answers: list[Answer] = []
    working = asyncio.ensure_future(work)
    while not working.done():
        answers.append(await ask(port, request))
        await asyncio.wait([working], timeout=every)
    await working
    return answers


async def open_web(rig: Rig, **environ: str) -> tuple[Running, int]:
    """Start a web process and wait until it answers; return its port too."""
    web = rig.run("adapters.cli", "web", "--port", "0", **environ)
    return web, await web.serves("/health/live")


async def connect_hosts(rig: Rig, count: int) -> list[Host]:
    """Connect so many accounts; return the address of each."""
    connected = await accounts.connect(rig, count, expires_in=timedelta(days=1))
    hosts = []
    async with rig.storage() as uow:
        for each in connected:
            integration = await uow.integrations.get(each.id)
            assert integration is not None
            path = f"{WEBHOOKS_PATH}/{new_key(each.id, 'subscription')}"
            hosts.append(Host(path, integration.account.user_uri))
    return hosts


async def stored(rig: Rig) -> int:
    """Return how many webhooks are stored."""
    connection = await asyncpg.connect(rig.postgres.dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM calendly_webhook_event"))
    finally:
        await connection.close()


def p99(answers: Iterable[Answer]) -> float:
    """Return the milliseconds below which 99 in 100 of the answers came."""
    latencies = sorted(each.seconds for each in answers)
    return latencies[len(latencies) * 99 // 100] * 1_000


def told(answers: Iterable[Answer]) -> str:
    """Return how many answers had which status."""
    counts = Counter(each.status for each in answers)
    return ", ".join(f"{many:,} of {status}" for status, many in sorted(counts.items()))
