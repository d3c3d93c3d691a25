"""The sender's work: makes and signs deliveries, then sends them."""

from itertools import cycle, islice

import msgspec

from bench.http_load import Responses, send_over
from bench.ingest.bodies import Host, request_to


class Order(msgspec.Struct):
    """So many requests to a port, over a number of connections, to the hosts in turn."""

    port: int
    requests: int
    connections: int
    hosts: list[Host]


async def send(order: Order) -> Responses:
    """Send all requests; raises TimeoutError when a response does not come in time."""
    hosts = islice(cycle(order.hosts), order.requests)
    requests = [request_to(host, order.port) for host in hosts]
    return await send_over(order.port, requests, order.connections)
