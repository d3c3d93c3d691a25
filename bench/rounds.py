"""Rounds in which sides do the same work by turns, and how fast and dear that was."""

import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from typing import TypeAlias

import msgspec

from bench.usage import CpuSeconds, difference, spent

Work: TypeAlias = Callable[[], Awaitable[tuple[int, float | None]]]
"""Does a turn; returns how much was done, and in how many seconds if it knows better."""


class Round(msgspec.Struct, frozen=True):
    """One side's turn: how much was done, in how many seconds, at whose cost."""

    done: int
    seconds: float
    cpu: CpuSeconds

    @property
    def rate(self) -> float:
        """Pieces of work a second."""
        return self.done / self.seconds

    def cost(self, process: str) -> float:
        """Milliseconds of CPU a piece of work."""
        return 1000 * self.cpu[process] / self.done


class Side(msgspec.Struct, frozen=True):
    """A side's rounds; `process` names the one that does the work."""

    name: str
    process: str
    rounds: list[Round]

    @property
    def done(self) -> int:
        """All the work of all rounds."""
        return sum(each.done for each in self.rounds)

    @property
    def rate(self) -> float:
        """The median rate."""
        return median(each.rate for each in self.rounds)

    def cost(self, process: str) -> float:
        """The median cost of a process (milliseconds of CPU a piece of work)."""
        return median(each.cost(process) for each in self.rounds)

    def described(self, piece: str) -> str:
        """All of it in a line; `piece` is what a piece of work is called."""
        names = [self.process, *(n for n in self.rounds[0].cpu if n != self.process)]
        costs = ", ".join(f"{name} {self.cost(name):.2f}" for name in names)
        rates = " ".join(f"{each.rate:.0f}" for each in self.rounds)
        return f"{self.name}: {self.rate:.0f}/s ({rates}); ms of CPU {piece}: {costs}"


async def measured(work: Work, pids: Mapping[str, int]) -> Round:
    """Do a turn."""
    before, started = spent(pids), time.perf_counter()
    done, seconds = await work()
    seconds = seconds or time.perf_counter() - started
    return Round(done, seconds, difference(spent(pids), before))
