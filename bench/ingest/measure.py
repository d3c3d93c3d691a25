"""Servers that store deliveries in different ways, under the same load in turns."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import NamedTuple

from bench.child_process import child_process
from bench.comparison import Variant, compare_servers
from bench.http_load import Responses
from bench.ingest.bodies import SIGNING_KEY, Host
from bench.ingest.checks import check_all
from bench.ingest.load import Order, send
from bench.ingest.pgbench import Inserted, pgbench
from bench.ingest.server import Mode
from bench.population import Grant, connect
from bench.report import Check
from bench.stack import Server, Stack, open_stack
from bench.usage import resident
from domain.ids import IntegrationId
from domain.subscription import new_key

_WEBHOOKS = "/api/calendly/webhooks"
_WARM_UP = 0.25  # of a turn
_STORED = """
SELECT (SELECT count(*) FROM calendly_webhook_event WHERE status = 'applied'),
    (SELECT count(*) FROM calendly_booking)
"""


class Size(NamedTuple):
    """The size of the measurement; `requests` are those of a turn."""

    rounds: int
    requests: int
    connections: int
    hosts: int
    pgbench_seconds: int

    def requests_of(self, share: float) -> int:
        """Return the requests of a turn of this share."""
        return max(self.connections, int(self.requests * share))


class Measured(NamedTuple):
    """The turns, the memory of each server after them (bytes), pgbench's inserts, the checks."""

    variants: Mapping[str, Variant]
    memory: Mapping[str, int]
    inserted: Inserted | None
    checks: Sequence[Check]


async def measure(size: Size) -> Measured:
    """Take all turns, then let pgbench insert rows of the same size."""
    inserted = None
    async with open_stack() as stack:
        stack.variables["CALENDLY_WEBHOOK_SIGNING_KEY"] = SIGNING_KEY
        with _servers(stack) as servers:
            variants = await _take_turns(stack, servers, size)
            memory = {mode: resident(server.child.pid) for mode, server in servers.items()}
        sent = 2 * (size.rounds * size.requests + size.requests_of(_WARM_UP))
        checks = check_all(variants, await _stored(stack), sent)
        if size.pgbench_seconds:
            inserted = await pgbench(stack, size.connections, size.pgbench_seconds)
    return Measured(variants, memory, inserted, checks)


@contextmanager
def _servers(stack: Stack) -> Iterator[dict[str, Server]]:
    with ExitStack() as exits:
        yield {
            mode: exits.enter_context(
                stack.server(
                    lambda port, mode=mode: ["bench.ingest.server", mode, str(port)],
                    "/health/live",
                    stack.environment,
                )
            )
            for mode in Mode
        }


async def _take_turns(
    stack: Stack, servers: Mapping[str, Server], size: Size
) -> dict[str, Variant]:
    hosts = await _connect_hosts(stack, size.hosts)
    async with child_process(send) as sender:

        async def send_share(mode: str, share: float) -> Responses:
            count = size.requests_of(share)
            return await sender.call(Order(servers[mode].port, count, size.connections, hosts))

        return await compare_servers(stack, servers, send_share, size.rounds, warm_up=_WARM_UP)


async def _connect_hosts(stack: Stack, count: int) -> list[Host]:
    """Connect so many users, each with an account of its own."""
    grants = [
        Grant(
            owner=f"https://api.calendly.com/users/{uuid.uuid4()}",
            organization="organization",
            access_token="access",  # noqa: S106 - no call uses it
            refresh_token="refresh",  # noqa: S106
        )
        for _ in range(count)
    ]
    ids = await connect(stack, grants, lasting=timedelta(days=1))
    return [
        Host(f"{_WEBHOOKS}/{new_key(IntegrationId(each), 'bench')}", grant.owner)
        for each, grant in zip(ids, grants, strict=True)
    ]


async def _stored(stack: Stack) -> tuple[int, int]:
    """Return how many events were applied, and how many bookings there are."""
    async with stack.connection() as connection:
        applied, bookings = await connection.fetchrow(_STORED)
        return applied, bookings
