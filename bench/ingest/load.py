"""The sender: a process of its own, so that its CPU is no part of what is measured.

`python -m bench.ingest.load` reads lines of JSON (`Order`), makes and signs the bodies, sends them
over so many connections, one after the other on each, and answers each line with `Seen`.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice

import msgspec

from bench.ingest.bodies import Host, request_to

_TIMEOUT_SECONDS = 30.0


class Order(msgspec.Struct):
    """What to send: so many requests to a port, over the hosts in turn."""

    port: int
    requests: int
    connections: int
    hosts: list[Host]


class Seen(msgspec.Struct):
    """What came of it: how many answers by status; seconds in all, and each answer's."""

    statuses: dict[int, int]
    seconds: float
    latencies: list[float]


async def send(order: Order) -> Seen:
    """Send everything; an answer that does not come in time is an error."""
    hosts = islice(cycle(order.hosts), order.requests)
    requests = iter([request_to(host, order.port) for host in hosts])
    statuses: dict[int, int] = {}
    latencies: list[float] = []
    started = time.perf_counter()
    async with (
        asyncio.timeout(_TIMEOUT_SECONDS + order.requests / 50),
        asyncio.TaskGroup() as all_,
    ):
        for _ in range(order.connections):
            all_.create_task(_connection(order.port, requests, statuses, latencies))
    return Seen(statuses, time.perf_counter() - started, latencies)


async def _connection(
    port: int, requests: Iterator[bytes], statuses: dict[int, int], latencies: list[float]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        latencies.append(time.perf_counter() - began)
        await _skip_body(reader, head)
        status = int(head[9:12])
        statuses[status] = statuses.get(status, 0) + 1
    writer.close()


async def _skip_body(reader: asyncio.StreamReader, head: bytes) -> None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))


async def _main() -> None:
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        seen = await send(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(seen) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())
