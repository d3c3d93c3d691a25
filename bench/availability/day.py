"""A simulated day: reads served immediately, wrong answers, and requests to Calendly.

Of all users every n-th by rank is simulated, with exactly the reads that Zipf's law gives its
rank. Users share only the order of the sync, so the simulated ones represent all.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from operator import add
from statistics import quantiles

import msgspec

from bench.availability.activity import Activity, zipf
from bench.availability.simulation import open_simulation
from bench.child_process import child_process
from bench.report import Check, counts, table
from domain.cache_policy import Freshness

SERVED = 0.99
CALLS = 0.10
_BATCHES = [timedelta(minutes=15)] * 4
_GROUPS = (10_000, 3_000, 1_000, 300, 100, 30, 0)  # the fewest reads of a host in each group
_HEAD = ["reads of a host", "hosts", "reads", "calls", "calls a read", "calls a host"]


class Size(msgspec.Struct, frozen=True):
    """All users, their reads and hours; every n-th user is simulated, in so many processes."""

    users: int = 10_000
    reads: int = 3_000_000
    hours: int = 24
    every: int = 4
    processes: int = 2

    @property
    def ranks(self) -> range:
        """The ranks of the users that are simulated."""
        return range(1 + self.every // 2, self.users + 1, self.every)

    def reads_of(self, ranks: Sequence[int]) -> float:
        """Return how many of the reads are of these users."""
        return self.reads * zipf(ranks)[-1] / zipf(range(1, self.users + 1))[-1]


class Result(msgspec.Struct, frozen=True):
    """The counts of a day, by name; those of groups by the fewest reads of a host in the group.

    Args:
        answers: reads by freshness, or by the code of the error.
        wrong: answers with a slot that a delivered webhook had taken, by freshness.
        done: bookings, cancellations and deliveries.
        synced: syncs by result.
        calls: requests to Calendly by path.
        totals: reads that `waited`; calls that were `unchanged`, `for readers`, `by the sync`, or
            before the day: `to fill`.
        hosts: hosts of each group.
        reads: their reads.
        calls_of: their calls.
        milliseconds: the real time of every tenth read.

    """

    answers: dict[str, int]
    wrong: dict[str, int]
    done: dict[str, int]
    synced: dict[str, int]
    calls: dict[str, int]
    totals: dict[str, int]
    hosts: dict[int, int]
    reads: dict[int, int]
    calls_of: dict[int, int]
    milliseconds: list[float]

    def __add__(self, other: "Result") -> "Result":
        """Return both results together."""
        fields = ((n, getattr(self, n), getattr(other, n)) for n in self.__struct_fields__)
        return Result(
            **{n: Counter(a) + Counter(b) if isinstance(a, dict) else a + b for n, a, b in fields}
        )


async def simulate_all(size: Size) -> Result:
    """Simulate the day in several processes, each with a share of the users."""
    found = await asyncio.gather(*(_in_child(size, n) for n in range(size.processes)))
    return reduce(add, found)


async def _in_child(size: Size, process: int) -> Result:
    async with child_process(simulate, loop="uvloop") as child:
        return await child.call(size, process)


async def simulate(size: Size, process: int) -> Result:
    """Connect the users of one process within an hour, then let the day pass."""
    ranks = size.ranks[process :: size.processes]
    async with open_simulation() as simulation:
        await simulation.fill(len(ranks), _BATCHES)
        calendly, worker = simulation.calendly, simulation.worker
        before, calls_before = calendly.requests.copy(), calendly.requests_of.copy()
        unchanged, fetches = calendly.statuses[304], worker.fetches()
        activity = Activity(simulation, ranks, size.reads_of(ranks) / (size.hours * 60))
        await activity.pass_hours(size.hours)
        totals = {
            "waited": simulation.web.waits(),
            "unchanged": calendly.statuses[304] - unchanged,
            "for readers": simulation.web.fetches(),
            "by the sync": worker.fetches() - fetches,
            "to fill": before.total(),
        }
        group = {n: _group(activity.reads_of[n]) for n in range(len(ranks))}
        return Result(
            answers=activity.answers,
            wrong=+activity.wrong,
            done=activity.done,
            synced=activity.synced.done,
            calls=calendly.requests - before,
            totals=totals,
            hosts=Counter(group.values()),
            reads=_by_group(group, activity.reads_of),
            calls_of=_by_group(group, calendly.requests_of - calls_before),
            milliseconds=activity.milliseconds,
        )


def _group(reads: int) -> int:
    return next(least for least in _GROUPS if reads >= least)


def _by_group(group: dict[int, int], counted: Counter[int]) -> dict[int, int]:
    return reduce(add, (Counter({group[n]: counted[n]}) for n in group))


def figures(result: Result) -> str:
    """Return the calls by how often a host is read, as a table in Markdown, and read times."""
    rows = []
    for least, hosts in sorted(result.hosts.items(), reverse=True):
        reads, calls = result.reads.get(least, 0), result.calls_of.get(least, 0)
        shares = f"{calls / max(reads, 1):.1%}", f"{calls / hosts:.0f}"
        rows.append((f"{least:,} or more", f"{hosts:,}", f"{reads:,}", f"{calls:,}", *shares))
    cuts = quantiles(result.milliseconds, n=100, method="inclusive")
    return (
        f"{table(_HEAD, rows)}\n\nA read took {cuts[49]:.1f} ms of real time, {cuts[98]:.1f} ms at"
        " the 99th percentile."
    )


def check(size: Size, result: Result) -> Check:
    """Check the served reads, the wrong answers, and the calls."""
    reads, calls, totals = sum(result.answers.values()), sum(result.calls.values()), result.totals
    # Each simulated user represents as many others.
    share = calls * size.users / len(size.ranks) / size.reads
    waited, wrong = totals.get("waited", 0), result.wrong.get(Freshness.FRESH, 0)
    served = sum(result.answers.get(each, 0) for each in Freshness) - waited
    return Check(
        subject=f"{size.users:,} users, {size.hours} moved hours, {size.reads:,} reads by Zipf's"
        f" law, represented by every {size.every}th user by rank, the most read left out, each"
        f" with the reads of its rank: {len(size.ranks):,} users, {reads:,} reads,"
        f" {result.done.get('booked', 0):,} bookings",
        requirement=f"at least {SERVED:.0%} of reads served without waiting; no fresh answer offers"
        f" a slot that a delivered webhook had taken; at most {CALLS:.0%} of the calls of one a"
        " read",
        measured=f"{served / reads:.2%} of {reads:,} served immediately ({waited:,} waited; answers"
        f" {counts(result.answers)}); {wrong} wrong and fresh,"
        f" {sum(result.wrong.values()) - wrong} wrong otherwise; {calls:,} calls,"
        f" {calls / len(size.ranks):.1f} a user: {share:.1%} of one a read of all users, and"
        f" {calls / reads:.1%} of one a read of the simulated ones ({counts(result.calls)};"
        f" {counts(totals)}); {counts(result.done)}; sync {counts(result.synced)}",
        passed=served >= SERVED * reads
        and wrong == 0
        and share <= CALLS
        and not result.done.get("not applied"),
    )
