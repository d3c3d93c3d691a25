"""Sends requests that are ready as bytes over kept connections, and times the answers (HTTP/1.1).

Written on bare sockets, so that the sender costs as little as may be of the machine that it
shares with what is measured.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence

import msgspec

LOOPBACK = "127.0.0.1"
_TIMEOUT_SECONDS = 30.0
_SLOWEST_RATE = 50  # requests a second


class Seen(msgspec.Struct):
    """What came of it: how many answers by status; seconds in all, and each answer's."""

    statuses: dict[int, int]
    seconds: float
    latencies: list[float]


async def send_over(port: int, requests: Sequence[bytes], connections: int) -> Seen:
    """Send everything over so many connections, one after the other on each.

    Raises TimeoutError when answers do not come.
    """
    waiting, seen = iter(requests), Seen({}, 0, [])
    started = time.perf_counter()
    async with (
        asyncio.timeout(_TIMEOUT_SECONDS + len(requests) / _SLOWEST_RATE),
        asyncio.TaskGroup() as all_,
    ):
        for _ in range(connections):
            all_.create_task(_one_after_the_other(port, waiting, seen))
    seen.seconds = time.perf_counter() - started
    return seen


async def send_at_once(requests: Iterable[tuple[int, bytes]]) -> Seen:
    """Send each request to its port over a connection of its own, all at the same moment.

    Raises TimeoutError when answers do not come.
    """
    seen = Seen({}, 0, [])
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        opened = [
            (*await asyncio.open_connection(LOOPBACK, port), request) for port, request in requests
        ]
        started = time.perf_counter()
        async with asyncio.TaskGroup() as all_:
            for reader, writer, request in opened:
                all_.create_task(_exchange(reader, writer, request, seen))
    seen.seconds = time.perf_counter() - started
    for _, writer, _ in opened:
        writer.close()
    return seen


async def _one_after_the_other(port: int, requests: Iterator[bytes], seen: Seen) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    for request in requests:
        await _exchange(reader, writer, request, seen)
    writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, seen: Seen
) -> None:
    began = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    seen.latencies.append(time.perf_counter() - began)
    await _skip_body(reader, head)
    status = int(head[9:12])
    seen.statuses[status] = seen.statuses.get(status, 0) + 1


async def _skip_body(reader: asyncio.StreamReader, head: bytes) -> None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))
