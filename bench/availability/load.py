"""The sender: a process of its own, so that its CPU is no part of what is measured.

`python -m bench.availability.load` reads lines of JSON (`Order` or `Burst`), sends what they say
and answers each with `Seen`.
"""

import asyncio
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Final

import msgspec

from bench.answering import answer_each_line
from bench.sending import Seen, send_at_once, send_over

SENDER: Final = (sys.executable, "-m", "bench.availability.load")


class Order(msgspec.Struct, tag=True):
    """Send requests to a port, in turn until there were `count`, over so many connections."""

    port: int
    requests: Sequence[str]
    count: int
    connections: int


class Burst(msgspec.Struct, tag=True):
    """Send each request to one of the ports in turn, all at the same moment."""

    ports: Sequence[int]
    requests: Sequence[str]


async def carry_out(asked: Order | Burst) -> Seen:
    """Send it."""
    encoded = cycle(each.encode() for each in asked.requests)
    if isinstance(asked, Burst):
        requests = islice(encoded, len(asked.requests))
        return await send_at_once(zip(cycle(asked.ports), requests, strict=False))
    return await send_over(asked.port, list(islice(encoded, asked.count)), asked.connections)


if __name__ == "__main__":
    asyncio.run(answer_each_line(Order | Burst, carry_out))
