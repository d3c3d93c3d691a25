"""`python -m bench.availability.calendly PORT`: the same Calendly as a server of its own.

`GET /_counters` says what it was asked so far. HTTP/1.1 with kept connections and nothing more,
so that whoever is measured against it waits for himself.
"""

import asyncio
import sys
import time
from http import HTTPStatus
from typing import cast

import msgspec
import uvloop

from bench.availability.calendly.answers import Answer, Asked, Calendly

COUNTERS = "/_counters"
_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client's connection; requests come without bodies."""

    def __init__(self, calendly: Calendly) -> None:
        self._calendly = calendly
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        *whole, self._received = (self._received + data).split(_END)
        for head in whole:
            self._transport.write(_as_bytes(self._answer(head.decode("latin-1"))))

    def _answer(self, head: str) -> Answer:
        first, *lines = head.split("\r\n")
        path, _, query = first.split(" ")[1].partition("?")
        if path == COUNTERS:
            return Answer(200, {}, self._counters())
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        asked = Asked(path, query, headers.get("authorization", ""), headers.get("if-none-match"))
        return self._calendly.answer(asked)

    def _counters(self) -> bytes:
        counted = {"calls": self._calendly.calls, "statuses": self._calendly.statuses}
        return msgspec.json.encode(counted)


def _as_bytes(answer: Answer) -> bytes:
    status = HTTPStatus(answer.status)
    headers = answer.headers | {"content-length": str(len(answer.body))}
    if status is HTTPStatus.NOT_MODIFIED:
        del headers["content-length"]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {status.phrase}\r\n{lines}\r\n".encode() + answer.body


async def _serve(port: int) -> None:
    calendly = Calendly(time.time)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(calendly), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
