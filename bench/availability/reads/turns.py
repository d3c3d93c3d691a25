"""Turns of the service and of a bare server over the same answers, in the same run."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

import httpx
import msgspec

from adapters.local_stack.environment import plain_environment
from bench.answering import Answering, answering
from bench.availability.load import SENDER, Order
from bench.availability.reads.warmth import PATH, Reader, warmed
from bench.availability.reads.wire import wire_to
from bench.sending import Seen
from bench.stage import Server, Stage
from bench.turns import Side, Turn, take_turn

_WARMING = 0.1  # of a turn
# What takes so much longer needs fewer requests to be seen.
_SHARES = {"asked anew": 0.1}
BARE, CACHED, UNCHANGED, ANEW = "bare", "cached", "unchanged", "asked anew"


class Load(msgspec.Struct, frozen=True):
    """Users that are read, turns of each side, requests of each, connections that carry them."""

    users: int = 50
    rounds: int = 5
    requests: int = 20_000
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
        answers = [await reader.answer(ours.url) for reader in readers]
        async with _bare(stage, answers[0]) as bare, _sender() as sender:
            orders = _Orders(readers, answers, load)
            sides = await _sides(stage, {"ours": ours, "bare": bare}, sender, orders)
    trips = await _trips(stage, _Orders(readers, answers, load))
    return Measured(sides, trips, len(answers[0].content))


class _Orders:
    """What is sent in a turn of each side."""

    def __init__(
        self, readers: Sequence[Reader], answers: Sequence[httpx.Response], load: Load
    ) -> None:
        self._readers = readers
        self._etags = [answer.headers["ETag"] for answer in answers]
        self._moved = 0
        self.load = load

    def of(self, side: str, port: int, share: float = 1.0) -> Order:
        """Return the order of a turn; below 1, of a share of it."""
        share *= _SHARES.get(side, 1)
        count = max(self.load.connections, int(self.load.requests * share))
        requests = [each.decode() for each in self._requests(side, count)]
        return Order(port, requests, count, self.load.connections)

    def _requests(self, side: str, count: int) -> list[bytes]:
        if side == UNCHANGED:
            pairs = zip(self._readers, self._etags, strict=True)
            return [reader.request(etag=etag) for reader, etag in pairs]
        if side == ANEW:
            return [self._moved_on(number) for number in range(count)]
        return [reader.request() for reader in self._readers]

    def _moved_on(self, number: int) -> bytes:
        """Return a request that was never made before, for the same slots."""
        self._moved += 1
        reader = self._readers[number % len(self._readers)]
        return reader.request(later=timedelta(milliseconds=self._moved))


async def _sides(
    stage: Stage, servers: dict[str, Server], sender: Answering, orders: _Orders
) -> dict[str, Side]:
    turns: dict[str, list[Turn]] = {side: [] for side in (BARE, CACHED, UNCHANGED, ANEW)}
    for number in range(-1, orders.load.rounds):
        for side, taken in turns.items():
            server = servers["bare" if side == BARE else "ours"]
            order = orders.of(side, server.port, share=_WARMING if number < 0 else 1)
            turn = await take_turn(server, stage.postgres.child.pid, sender, order)
            if number >= 0:
                taken.append(turn)
    return {side: Side(side, taken) for side, taken in turns.items()}


async def _trips(stage: Stage, orders: _Orders) -> dict[str, Trips]:
    found = {}
    async with wire_to(stage.postgres.port) as wire, _sender() as sender:
        there = stage.postgres.dsn.replace(f":{stage.postgres.port}/", f":{wire.port}/")
        with stage.web("counted-web", DATABASE_URL=there) as web:
            for side in (CACHED, UNCHANGED, ANEW):
                await sender.ask(msgspec.to_builtins(orders.of(side, web.port, share=0.1)))
                before = wire.trips
                order = orders.of(side, web.port, share=0.5)
                seen = msgspec.convert(
                    await sender.ask(msgspec.to_builtins(order)), Seen, strict=False
                )
                found[side] = Trips(len(seen.latencies), wire.trips - before)
    return found


@asynccontextmanager
async def _bare(stage: Stage, answer: httpx.Response) -> AsyncIterator[Server]:
    body = stage.folder / "answer.json"
    body.write_bytes(answer.content)
    with stage.serving(
        "bare",
        lambda port: ["-m", "bench.availability.reads.bare", str(port), str(body)],
        plain_environment(),
        PATH,
    ) as server:
        yield server


@asynccontextmanager
async def _sender() -> AsyncIterator[Answering]:
    async with answering(SENDER, plain_environment()) as sender:
        yield sender
