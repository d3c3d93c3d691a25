"""Turns of servers under a load, and what they come to."""

from statistics import median, quantiles
from typing import NamedTuple

import msgspec

from bench.answering import Answering
from bench.sending import Seen
from bench.stage import Server
from bench.usage import cpu_seconds


class Turn(NamedTuple):
    """One server's turn: what was answered, and seconds of CPU of the server and PostgreSQL."""

    seen: Seen
    server: float
    postgres: float


class Side(NamedTuple):
    """A server's turns; `memory` is what it holds after them (bytes)."""

    name: str
    turns: list[Turn]
    memory: int = 0

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


async def take_turn(
    server: Server, postgres_pid: int, sender: Answering, order: msgspec.Struct
) -> Turn:
    """Let the sender carry out an order, and look at what that costs."""
    pids = server.child.pid, postgres_pid
    before = [cpu_seconds(pid) for pid in pids]
    seen = await sender.ask(msgspec.to_builtins(order))
    after = [cpu_seconds(pid) for pid in pids]
    return Turn(
        msgspec.convert(seen, Seen, strict=False), after[0] - before[0], after[1] - before[1]
    )
