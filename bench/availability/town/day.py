"""A day: how many reads are served at once, whether they lie, and what Calendly is asked.

Of all the users there are every so-many-th is played, those in the middle between: each gets
exactly the reads that the law gives its rank, and since users share nothing but the right to be
synced first, what is seen of the played ones holds for all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import quantiles
from typing import NamedTuple

import msgspec

from bench.availability.town.hours import Hours
from bench.availability.town.readers import zipf
from bench.availability.town.town import WEB, WORKER, open_town, settle

_QUARTER = timedelta(minutes=15)
# Hosts are shown in groups of so many reads: at least these.
_GROUPS = (10_000, 3_000, 1_000, 300, 100, 30, 0)


class Size(msgspec.Struct, frozen=True):
    """How many users and reads there are in all, for how many moved hours, and what is played.

    Args:
        every: of so many users one is played.
        towns: processes, each with a database and a share of the users of its own.

    """

    users: int = 10_000
    reads: int = 3_000_000
    hours: int = 24
    every: int = 4
    towns: int = 2

    @property
    def ranks(self) -> Sequence[int]:
        """Those of the users who are played."""
        return range(1 + self.every // 2, self.users + 1, self.every)

    def share(self, town: int) -> Sequence[int]:
        """Return the ranks of one town's users."""
        return self.ranks[town :: self.towns]

    def reads_of(self, ranks: Sequence[int]) -> float:
        """Return how many of the reads are of these."""
        return self.reads * zipf(ranks)[-1] / zipf(range(1, self.users + 1))[-1]


class Group(NamedTuple):
    """Hosts that are read about as often: at least so often, how many, their reads and calls."""

    least: int
    hosts: int
    reads: int
    calls: int


class Seen(msgspec.Struct, frozen=True):
    """What a day came to in one town.

    Args:
        answers: by freshness, or the error's code.
        waits: reads that waited, by how that ended.
        wrong: answers that offered what was taken, by freshness.
        done: what invitees did and what became of the deliveries.
        synced: what the runs of the sync did, by result.
        calls: requests to Calendly, by path.
        unchanged: how many of them were answered 304.
        by_readers: how many of them were made for readers, nearly all behind their answers.
        by_sync: how many of them the sync made.
        filling: requests before the day.
        groups: reads and calls by how often hosts are read.
        milliseconds: the median read and the 99th percentile, in real time.

    """

    answers: dict[str, int]
    waits: dict[str, int]
    wrong: dict[str, int]
    done: dict[str, int]
    synced: dict[str, int]
    calls: dict[str, int]
    unchanged: int
    by_readers: int
    by_sync: int
    filling: int
    groups: list[Group]
    milliseconds: tuple[float, float]

    def plus(self, other: "Seen") -> "Seen":
        """Return what both towns came to; of the times the longer ones."""
        both = {
            name: dict(Counter(getattr(self, name)) + Counter(getattr(other, name)))
            for name in ("answers", "waits", "wrong", "done", "synced", "calls")
        }
        return Seen(
            **both,
            unchanged=self.unchanged + other.unchanged,
            by_readers=self.by_readers + other.by_readers,
            by_sync=self.by_sync + other.by_sync,
            filling=self.filling + other.filling,
            groups=_together([*self.groups, *other.groups]),
            milliseconds=max(self.milliseconds, other.milliseconds),
        )


async def play(size: Size, town_number: int = 0) -> Seen:
    """Connect a town's users within an hour, then let the day pass."""
    ranks = size.share(town_number)
    async with open_town() as town:
        await settle(town, len(ranks), [_QUARTER] * 4)
        calendly = town.calendly
        before, filling = calendly.calls_of.copy(), calendly.calls.total()
        calls, unchanged = calendly.calls.copy(), calendly.statuses[304]
        filled = town.seen[WORKER].fetches
        hours = Hours(town, ranks, size.reads_of(ranks) / (size.hours * 60))
        await hours.pass_(size.hours)
        readers = hours.readers
        return Seen(
            answers=dict(readers.answers),
            waits=dict(town.seen[WEB].waits),
            wrong=dict(readers.wrong),
            done=dict(hours.invitees.done),
            synced=dict(hours.synced.done),
            calls=dict(calendly.calls - calls),
            unchanged=calendly.statuses[304] - unchanged,
            by_readers=town.seen[WEB].fetches,
            by_sync=town.seen[WORKER].fetches - filled,
            filling=filling,
            groups=_groups(len(ranks), readers.by_host, calendly.calls_of - before),
            milliseconds=_typical(readers.seconds),
        )


def _groups(hosts: int, reads: Counter[int], calls: Counter[int]) -> list[Group]:
    return _together(
        Group(next(each for each in _GROUPS if reads[host] >= each), 1, reads[host], calls[host])
        for host in range(hosts)
    )


def _together(groups: Iterable[Group]) -> list[Group]:
    made: dict[int, Group] = {}
    for least, *counts in groups:
        _, *known = made.get(least, Group(least, 0, 0, 0))
        made[least] = Group(least, *map(sum, zip(known, counts, strict=True)))
    return [made[least] for least in sorted(made, reverse=True)]


def _typical(seconds: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles((*seconds, 0.0, 0.0), n=100)
    return 1000 * cuts[49], 1000 * cuts[98]
