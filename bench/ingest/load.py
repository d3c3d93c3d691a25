"""The sender: a process of its own, so that its CPU is no part of what is measured.

`python -m bench.ingest.load` reads lines of JSON (`Order`), makes and signs the bodies, sends them
over so many connections, one after the other on each, and answers each line with `Seen`.
"""

import asyncio
from itertools import cycle, islice

import msgspec

from bench.answering import answer_each_line
from bench.ingest.bodies import Host, request_to
from bench.sending import Seen, send_over


class Order(msgspec.Struct):
    """What to send: so many requests to a port, over the hosts in turn."""

    port: int
    requests: int
    connections: int
    hosts: list[Host]


async def send(order: Order) -> Seen:
    """Send everything; an answer that does not come in time is an error."""
    hosts = islice(cycle(order.hosts), order.requests)
    requests = [request_to(host, order.port) for host in hosts]
    return await send_over(order.port, requests, order.connections)


if __name__ == "__main__":
    asyncio.run(answer_each_line(Order, send))
