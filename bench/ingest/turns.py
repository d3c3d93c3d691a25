"""Turns of servers under the same load, one after the other, round after round."""

import sys
from collections.abc import Sequence
from statistics import median, quantiles
from typing import NamedTuple

import msgspec

from adapters.local_stack.environment import plain_environment
from bench.ingest.bodies import Host
from bench.ingest.load import Order, Seen
from bench.ingest.server import Mode
from bench.ingest.stage import Server, Stage
from bench.ingest.usage import cpu_seconds, resident
from bench.tokens.answering import Answering, answering

_SENDER = (sys.executable, "-m", "bench.ingest.load")


class Turn(NamedTuple):
    """One server's turn: what was answered, and seconds of CPU of the server and PostgreSQL."""

    seen: Seen
    server: float
    postgres: float


class Side(NamedTuple):
    """A server's turns."""

    mode: Mode
    turns: list[Turn]
    memory: int

    @property
    def server_cpu(self) -> float:
        """Microseconds of the server's CPU a request, the median of the turns."""
        return median(1e6 * each.server / len(each.seen.latencies) for each in self.turns)

    @property
    def cpu(self) -> float:
        """Microseconds of CPU a request, PostgreSQL's included, the median of the turns."""
        return median(
            1e6 * (each.server + each.postgres) / len(each.seen.latencies) for each in self.turns
        )

    @property
    def rate(self) -> float:
        """Requests a second, the median of the turns."""
        return median(len(each.seen.latencies) / each.seen.seconds for each in self.turns)

    def percentile(self, percent: int) -> float:
        """Milliseconds within which so many of all requests were answered."""
        everything = [one for each in self.turns for one in each.seen.latencies]
        return 1000 * quantiles(everything, n=100, method="inclusive")[percent - 1]

    @property
    def slowest(self) -> float:
        """Milliseconds that the slowest request took."""
        return 1000 * max(max(each.seen.latencies) for each in self.turns)

    @property
    def statuses(self) -> set[int]:
        """Every status that was answered."""
        return {status for each in self.turns for status in each.seen.statuses}


class Load(NamedTuple):
    """Turns of each server, requests of each turn, and connections that carry them."""

    rounds: int
    requests: int
    connections: int

    @property
    def warming(self) -> int:
        """Requests of the turn before the first one, which only warms a server up."""
        return max(self.connections, self.requests // 4)


async def take_turns(
    stage: Stage, servers: Sequence[Server], hosts: list[Host], load: Load
) -> dict[Mode, Side]:
    """Return every server's side."""
    turns: dict[Mode, list[Turn]] = {each.mode: [] for each in servers}
    async with answering(_SENDER, plain_environment()) as sender:
        for number in range(-1, load.rounds):
            count = load.warming if number < 0 else load.requests
            for server in servers:
                order = Order(server.port, count, load.connections, hosts)
                turn = await _turn(stage, server, sender, order)
                if number >= 0:
                    turns[server.mode].append(turn)
    return {
        each.mode: Side(each.mode, turns[each.mode], resident(each.child.pid)) for each in servers
    }


async def _turn(stage: Stage, server: Server, sender: Answering, order: Order) -> Turn:
    pids = server.child.pid, stage.postgres.child.pid
    before = [cpu_seconds(pid) for pid in pids]
    seen = await sender.ask(msgspec.to_builtins(order))
    after = [cpu_seconds(pid) for pid in pids]
    return Turn(
        msgspec.convert(seen, Seen, strict=False), after[0] - before[0], after[1] - before[1]
    )
