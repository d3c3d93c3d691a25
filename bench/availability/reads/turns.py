"""Turns of the service and of a bare server over the same answers, in the same run."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from statistics import fmean
from typing import NamedTuple

import msgspec

from adapters.local_stack.processes.environment import plain_environment
from bench.answering import Answering, answering
from bench.availability.load import SENDER, Order
from bench.availability.reads.warmth import PATH, SPREAD, Range, Reader, warmed
from bench.availability.reads.wire import wire_to
from bench.sending import Seen
from bench.stage import Server, Stage
from bench.turns import Side, Turn, take_turn

_WARMING = 0.1  # of a turn
_REPEATED = 4  # ranges of a user, where they are repeated
# What takes so much longer needs fewer requests to be seen.
_SHARES = {"route": 0.05}
BARE, CACHED, UNCHANGED, AGAIN, ROUTE = "bare", "cached", "unchanged", "again", "route"
SHOWN = {
    BARE: "bare GET of the same bytes",
    CACHED: "cached, each range for the first time",
    UNCHANGED: "304, repeated ranges",
    AGAIN: "cached, repeated ranges",
    ROUTE: "cached, by the route",
}


class Load(msgspec.Struct, frozen=True):
    """Users that are read, turns of each side, requests of each, connections that carry them."""

    users: int = 50
    rounds: int = 15
    requests: int = 8_000
    connections: int = 32


class Trips(NamedTuple):
    """Round trips to the database, all of them, during so many requests."""

    requests: int
    trips: int

    @property
    def each(self) -> float:
        """A request's."""
        return self.trips / self.requests


class Measured(NamedTuple):
    """What everything came to."""

    sides: dict[str, Side]
    trips: dict[str, Trips]
    body: int


async def measure(stage: Stage, load: Load) -> Measured:
    """Take all turns, then count round trips in turns of their own."""
    readers = await warmed(stage, load.users)
    with stage.web() as ours:
        orders = await _orders(ours.url, readers, load)
        bodies = [
            (await readers[0].answer(ours.url, readers[0].anywhere(slots))).content
            for slots in SPREAD
        ]
        async with _bare(stage, bodies) as bare, _sender() as sender:
            sides = await _sides(stage, {"ours": ours, "bare": bare}, sender, orders)
    trips = await _trips(stage, orders)
    return Measured(sides, trips, round(fmean(map(len, bodies))))


class _Repeated(NamedTuple):
    """A range that is asked for again and again, and the tag of its answer."""

    reader: Reader
    span: Range
    etag: str


class _Orders:
    """What is sent in a turn of each side."""

    def __init__(
        self, readers: Sequence[Reader], repeated: Sequence[_Repeated], load: Load
    ) -> None:
        self._readers = readers
        self._repeated = repeated
        self.load = load

    def of(self, side: str, port: int, share: float = 1.0) -> Order:
        """Return the order of a turn; below 1, of a share of it."""
        share *= _SHARES.get(side, 1)
        count = max(self.load.connections, int(self.load.requests * share))
        requests = [each.decode() for each in self._requests(side, count)]
        return Order(port, requests, count, self.load.connections)

    def _requests(self, side: str, count: int) -> list[bytes]:
        if side == UNCHANGED:
            return [each.reader.request(each.span, etag=each.etag) for each in self._repeated]
        if side == AGAIN:
            return [each.reader.request(each.span) for each in self._repeated]
        asked = islice(zip(cycle(self._readers), cycle(SPREAD), strict=False), count)
        return [
            reader.request(reader.anywhere(slots), oddly=side == ROUTE) for reader, slots in asked
        ]


async def _orders(url: str, readers: Sequence[Reader], load: Load) -> _Orders:
    """Choose the ranges that are repeated, and read each of them once."""
    repeated = []
    for reader in readers:
        for slots in SPREAD[:: len(SPREAD) // _REPEATED]:
            span = reader.anywhere(slots)
            answer = await reader.answer(url, span)
            repeated.append(_Repeated(reader, span, answer.headers["ETag"]))
    return _Orders(readers, repeated, load)


async def _sides(
    stage: Stage, servers: dict[str, Server], sender: Answering, orders: _Orders
) -> dict[str, Side]:
    turns: dict[str, list[Turn]] = {side: [] for side in SHOWN}
    for number in range(-1, orders.load.rounds):
        # Back and forth: who comes first in a round comes last in the next.
        for side, taken in list(turns.items())[:: -1 if number % 2 else 1]:
            server = servers["bare" if side == BARE else "ours"]
            order = orders.of(side, server.port, share=_WARMING if number < 0 else 1)
            turn = await take_turn(server, stage.postgres.child.pid, sender, order)
            if number >= 0:
                taken.append(turn)
    return {side: Side(SHOWN[side], taken) for side, taken in turns.items()}


async def _trips(stage: Stage, orders: _Orders) -> dict[str, Trips]:
    found = {}
    async with wire_to(stage.postgres.port.number) as wire, _sender() as sender:
        there = stage.postgres.dsn.replace(f":{stage.postgres.port.number}/", f":{wire.port}/")
        with stage.web("counted-web", DATABASE_URL=there) as web:
            for side in (CACHED, UNCHANGED, AGAIN, ROUTE):
                await sender.ask(msgspec.to_builtins(orders.of(side, web.port, share=0.1)))
                before = wire.trips
                order = orders.of(side, web.port, share=0.5)
                seen = msgspec.convert(
                    await sender.ask(msgspec.to_builtins(order)), Seen, strict=False
                )
                found[side] = Trips(len(seen.latencies), wire.trips - before)
    return found


@asynccontextmanager
async def _bare(stage: Stage, bodies: Sequence[bytes]) -> AsyncIterator[Server]:
    file = stage.folder / "answers.msgpack"
    file.write_bytes(msgspec.msgpack.encode(bodies))
    with stage.serving(
        "bare",
        lambda port: ["-m", "bench.availability.reads.bare", str(port), str(file)],
        plain_environment(),
        PATH,
    ) as server:
        yield server


@asynccontextmanager
async def _sender() -> AsyncIterator[Answering]:
    async with answering(SENDER, plain_environment()) as sender:
        yield sender
