"""Cached reads by the service against a bare server with the same bodies, in turns."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from statistics import fmean
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from bench.availability.cached_users import RANGE_SIZES, SLOTS, CachedUser, connect_cached_users
from bench.availability.round_trips import counted_round_trips
from bench.bare_server import HEALTH
from bench.child_process import child_process
from bench.comparison import Variant, compare_servers
from bench.http_load import Responses, fetch, send_over
from bench.report import Check, table
from bench.stack import Server, Stack

BARE = "bare GET of the same bytes"
CACHED = "cached, each range for the first time"
UNCHANGED = "304, repeated ranges"
REPEATED = "cached, repeated ranges"
ROUTE = "cached, by the route"

CACHED_SHARE = 1.6
UNCHANGED_SHARE = 1.2
# The service also records now and then, after its responses, that it was read.
RECORDS = 0.01  # round trips a request, at most

_WARM_UP = 0.1  # of a turn
_REPEATED_RANGES = 4  # of each user
_ROUTE_SHARE = 0.05  # of a turn: the route is slow, so fewer requests are enough
_HEAD = [
    "what",
    "CPU µs a request",
    "of it the server's",
    "requests a second",
    "p50 ms",
    "p99 ms",
    "of the bare",
    "round trips",
]


class Size(msgspec.Struct, frozen=True):
    """Users that are read, rounds, requests of each turn, connections that carry them."""

    users: int = 50
    rounds: int = 15
    requests: int = 8_000
    connections: int = 32


class Measured(NamedTuple):
    """The turns of each variant, its round trips and their requests, the average body (bytes)."""

    variants: Mapping[str, Variant]
    round_trips: Mapping[str, tuple[int, int]]
    body: int

    def trips_of(self, variant: str) -> float:
        """Return the round trips a request."""
        count, requests = self.round_trips[variant]
        return count / requests


class _Requests:
    def __init__(
        self, users: Sequence[CachedUser], repeated: Mapping[str, list[bytes]], size: Size
    ) -> None:
        self._users = users
        self._repeated = repeated
        self._size = size

    def of(self, variant: str, share: float) -> list[bytes]:
        """Return the requests of a variant's turn, or of a share of it."""
        share *= _ROUTE_SHARE if variant == ROUTE else 1
        count = max(self._size.connections, int(self._size.requests * share))
        if variant in self._repeated:
            return list(islice(cycle(self._repeated[variant]), count))
        # Only the route answers a request with a maximal age.
        by_route = {"max_age": "999999999"} if variant == ROUTE else {}
        pairs = islice(zip(cycle(self._users), cycle(RANGE_SIZES), strict=False), count)
        return [user.request(by_route | user.random_range(slots)) for user, slots in pairs]


async def measure(stack: Stack, size: Size) -> Measured:
    """Take all turns, then count round trips in turns of their own."""
    users = await connect_cached_users(stack, size.users)
    with stack.web() as web:
        bodies = [
            (await fetch(web.port, users[0].request(users[0].random_range(slots))))[1]
            for slots in RANGE_SIZES
        ]
        requests = _Requests(users, await _repeated_requests(web, users), size)
        with _bare_server(stack, bodies) as bare:
            variants = await _take_turns(stack, web, bare, requests, size)
    round_trips = await _count_round_trips(stack, requests, size.connections)
    return Measured(variants, round_trips, round(fmean(map(len, bodies))))


async def _repeated_requests(web: Server, users: Sequence[CachedUser]) -> dict[str, list[bytes]]:
    """Choose the ranges that are repeated, and read each of them once."""
    repeated: dict[str, list[bytes]] = {UNCHANGED: [], REPEATED: []}
    for user in users:
        for slots in RANGE_SIZES[:: len(RANGE_SIZES) // _REPEATED_RANGES]:
            params = user.random_range(slots)
            request = user.request(params)
            headers, _ = await fetch(web.port, request)
            repeated[REPEATED].append(request)
            repeated[UNCHANGED].append(user.request(params, **{"If-None-Match": headers["etag"]}))
    return repeated


async def _take_turns(
    stack: Stack, web: Server, bare: Server, requests: _Requests, size: Size
) -> dict[str, Variant]:
    servers = {BARE: bare} | dict.fromkeys((CACHED, UNCHANGED, REPEATED, ROUTE), web)
    async with child_process(send_over) as sender:

        async def send(variant: str, share: float) -> Responses:
            sent = requests.of(variant, share)
            return await sender.call(servers[variant].port, sent, size.connections)

        return await compare_servers(stack, servers, send, size.rounds, warm_up=_WARM_UP)


async def _count_round_trips(
    stack: Stack, requests: _Requests, connections: int
) -> dict[str, tuple[int, int]]:
    counted = {}
    port = stack.postgres.port.number
    async with counted_round_trips(port) as counter, child_process(send_over) as sender:
        address = stack.postgres.dsn.replace(f":{port}/", f":{counter.port}/")
        with stack.web(DATABASE_URL=address) as web:
            for variant in (CACHED, UNCHANGED, REPEATED, ROUTE):
                await sender.call(web.port, requests.of(variant, share=0.1), connections)
                before, sent = counter.count, requests.of(variant, share=0.5)
                await sender.call(web.port, sent, connections)
                counted[variant] = counter.count - before, len(sent)
    return counted


@contextmanager
def _bare_server(stack: Stack, bodies: Sequence[bytes]) -> Iterator[Server]:
    file = stack.folder / "bodies.msgpack"
    file.write_bytes(msgspec.msgpack.encode(bodies))
    with stack.server(lambda port: ["bench.bare_server", str(port), str(file)], HEALTH) as server:
        yield server


def figures(measured: Measured) -> str:
    """Return the figures of each variant as a table in Markdown."""
    bare, rows = measured.variants[BARE].cpu, []
    for name, variant in measured.variants.items():
        counted = name in measured.round_trips
        cells = (
            f"{variant.cpu:.0f}",
            f"{variant.server_cpu:.0f}",
            f"{variant.rate:.0f}",
            f"{variant.percentile(50):.1f}",
            f"{variant.percentile(99):.1f}",
            f"{variant.cpu / bare:.2f}",
            f"{measured.trips_of(name):.2f}" if counted else "",
        )
        rows.append((name, *cells))
    return table(_HEAD, rows)


def checks(measured: Measured, size: Size) -> list[Check]:
    """Check cached reads and 304s."""
    bare = measured.variants[BARE].cpu
    repeated, route = measured.variants[REPEATED].cpu / bare, measured.variants[ROUTE].cpu / bare
    subject = (
        f"cached read of about {SLOTS} slots ({measured.body:,} bytes), {size.connections}"
        " connections, each of another range"
    )
    more = (
        f"; repeated ranges {repeated:.2f} times; by the route {route:.1f} times,"
        f" {measured.trips_of(ROUTE):.1f} round trips"
    )
    cached = _check(measured, CACHED, status=200, share=CACHED_SHARE)
    unchanged = _check(measured, UNCHANGED, status=304, share=UNCHANGED_SHARE)
    return [
        replace(cached, subject=subject, measured=cached.measured + more),
        replace(unchanged, subject="304 on an unchanged `ETag`, repeated ranges"),
    ]


def _check(measured: Measured, name: str, *, status: int, share: float) -> Check:
    variant, bare = measured.variants[name], measured.variants[BARE]
    times, (count, requests) = variant.cpu / bare.cpu, measured.round_trips[name]
    return Check(
        subject=name,
        requirement=f"CPU at most {share} times that of a bare Litestar GET of as many bytes; at"
        " most one database round trip",
        measured=f"{variant.cpu:.0f} µs ({variant.server_cpu:.0f} of it the server's, the rest"
        f" PostgreSQL's) against {bare.cpu:.0f} µs: {times:.2f} times; {count:,} round trips of"
        f" {requests:,} requests, counted on the wire",
        passed=times <= share
        and measured.trips_of(name) <= 1 + RECORDS
        and variant.statuses == {status}
        and bare.statuses == {200},
    )
