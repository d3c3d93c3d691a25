"""Variants that do the same work in turns: how fast they are, and the CPU that they take."""

import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median, quantiles
from typing import NamedTuple, TypeAlias

import msgspec

from bench.http_load import Responses
from bench.stack import Server, Stack
from bench.usage import CpuSeconds, difference, spent

_SERVER, _POSTGRES = "server", "PostgreSQL"


class Done(NamedTuple):
    """The operations of a turn, and their seconds if the work measures them itself."""

    operations: int
    seconds: float | None = None
    responses: Responses | None = None


Work: TypeAlias = Callable[[], Awaitable[Done]]


class Round(msgspec.Struct, frozen=True):
    """One turn of a variant; `cpu` has the CPU seconds of each process."""

    operations: int
    seconds: float
    cpu: CpuSeconds
    responses: Responses | None = None


class Variant(msgspec.Struct, frozen=True):
    """The rounds of a variant; `process` names the one that does the work."""

    name: str
    process: str
    rounds: list[Round]

    @property
    def operations(self) -> int:
        """The operations of all rounds."""
        return sum(each.operations for each in self.rounds)

    @property
    def rate(self) -> float:
        """Operations a second, the median of the rounds."""
        return median(each.operations / each.seconds for each in self.rounds)

    def cost(self, *processes: str) -> float:
        """Return the CPU of these processes (milliseconds an operation), the median."""
        return median(
            1000 * sum(each.cpu[name] for name in processes) / each.operations
            for each in self.rounds
        )

    @property
    def server_cpu(self) -> float:
        """Microseconds of the server's CPU a request."""
        return 1000 * self.cost(_SERVER)

    @property
    def cpu(self) -> float:
        """Microseconds of CPU a request, of the server and PostgreSQL together."""
        return 1000 * self.cost(_SERVER, _POSTGRES)

    def percentile(self, percent: int) -> float:
        """Return the time (milliseconds) within which this share of the requests was answered."""
        return 1000 * quantiles(self._latencies, n=100, method="inclusive")[percent - 1]

    @property
    def slowest(self) -> float:
        """The time (milliseconds) of the slowest request."""
        return 1000 * max(self._latencies)

    @property
    def statuses(self) -> set[int]:
        """Every status of the responses."""
        return {status for each in self._responses for status in each.statuses}

    def describe(self, operation: str) -> str:
        """Return rates and costs in a line; `operation` is for example `a call`."""
        names = [self.process, *(n for n in self.rounds[0].cpu if n != self.process)]
        costs = ", ".join(f"{name} {self.cost(name):.2f}" for name in names)
        rates = " ".join(f"{each.operations / each.seconds:.0f}" for each in self.rounds)
        return f"{self.name}: {self.rate:.0f}/s ({rates}); ms of CPU {operation}: {costs}"

    @property
    def _responses(self) -> list[Responses]:
        return [each.responses for each in self.rounds if each.responses is not None]

    @property
    def _latencies(self) -> list[float]:
        return [latency for each in self._responses for latency in each.latencies]


async def measure_work(work: Work, pids: Mapping[str, int]) -> Round:
    """Do the work, and measure its time and the CPU of these processes."""
    before, started = spent(pids), time.perf_counter()
    done = await work()
    seconds = done.seconds or time.perf_counter() - started
    return Round(done.operations, seconds, difference(spent(pids), before), done.responses)


async def compare_servers(
    stack: Stack,
    servers: Mapping[str, Server],
    send: Callable[[str, float], Awaitable[Responses]],
    rounds: int,
    *,
    warm_up: float,
) -> dict[str, Variant]:
    """Let each server take its turn in every round.

    Args:
        stack: the database of the servers.
        servers: by the name of the variant; several variants may have the same server.
        send: sends the requests of a variant's turn; 1.0 is a full turn, less is a share of it.
        rounds: rounds that count.
        warm_up: the share of a turn before them.

    """
    variants = {name: Variant(name, _SERVER, []) for name in servers}
    for number in range(-1, rounds):
        # The variant that is first in a round is last in the next.
        for name, server in list(servers.items())[:: -1 if number % 2 else 1]:

            async def work(name: str = name) -> Done:
                responses = await send(name, warm_up if number < 0 else 1.0)  # noqa: B023
                return Done(len(responses.latencies), responses.seconds, responses)

            measured = await measure_work(work, {_SERVER: server.child.pid} | stack.pids)
            if number >= 0:
                variants[name].rounds.append(measured)
    return variants
