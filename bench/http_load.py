"""Sends HTTP/1.1 requests over kept connections, and times the responses.

Written on bare sockets, since the sender shares the machine with the server that is measured.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping

import msgspec

LOOPBACK = "127.0.0.1"
_TIMEOUT_SECONDS = 30.0
_SLOWEST_RATE = 50  # requests a second


class Responses(msgspec.Struct):
    """The count of responses by status, seconds in all, and seconds until each response."""

    statuses: dict[int, int]
    seconds: float
    latencies: list[float]


def http_request(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a request as it goes over the wire."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in ({"Host": LOOPBACK} | dict(headers)).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def send_over(port: int, requests: list[bytes], connections: int) -> Responses:
    """Send all requests over a number of connections, one after the other on each.

    Raises TimeoutError when responses do not come.
    """
    waiting, responses = iter(requests), Responses({}, 0, [])
    started = time.perf_counter()
    async with (
        asyncio.timeout(_TIMEOUT_SECONDS + len(requests) / _SLOWEST_RATE),
        asyncio.TaskGroup() as group,
    ):
        for _ in range(connections):
            group.create_task(_send_in_turn(port, waiting, responses))
    responses.seconds = time.perf_counter() - started
    return responses


async def send_at_once(requests: list[tuple[int, bytes]]) -> Responses:
    """Send each request to its port over a connection of its own, all at the same moment.

    Raises TimeoutError when responses do not come.
    """
    responses = Responses({}, 0, [])
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        opened = [
            (*await asyncio.open_connection(LOOPBACK, port), request) for port, request in requests
        ]
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for reader, writer, request in opened:
                group.create_task(_send(reader, writer, request, responses))
    responses.seconds = time.perf_counter() - started
    for _, writer, _ in opened:
        writer.close()
    return responses


async def fetch(port: int, request: bytes) -> tuple[dict[str, str], bytes]:
    """Send one request; return the headers, their names in lower case, and the body."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    headers = _headers(head)
    body = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return headers, body


async def _send_in_turn(port: int, requests: Iterator[bytes], responses: Responses) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    for request in requests:
        await _send(reader, writer, request, responses)
    writer.close()


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, into: Responses
) -> None:
    began = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    into.latencies.append(time.perf_counter() - began)
    await reader.readexactly(int(_headers(head).get("content-length", 0)))
    status = int(head[9:12])
    into.statuses[status] = into.statuses.get(status, 0) + 1


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value for name, _, value in lines}
