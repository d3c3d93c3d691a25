"""A web process that strangers flood while Calendly delivers: refusing must cost next to nothing.

The strangers take a fixed share of a processor. In calm they send to a sink, so the comparison
shows their cost to the service, and not the cost of making a flood. Calm and flood take many short
turns, so that other work of the machine meets both. Of each the median p99 is compared: one round
that other work disturbs decides nothing. Nothing of what they send may be stored.
"""

import asyncio
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, NamedTuple

import asyncpg
import msgspec

from bench.ingest.bodies import SIGNING_KEY, Host
from bench.ingest.load import Order, send
from bench.usage import resident
from tests.faults import hostile_flood
from tests.faults.rig import Rig, Running, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize
from tests.faults.steady import connect_hosts

HOSTS = 10
SINK, ENDLESS = 0, 10**9
LARGER = 1.2
REFUSALS = {400, 401, 413}
_COUNTS = "SELECT (SELECT count(*) FROM calendly_webhook_event), count(*) FROM calendly_booking"


class Size(AnySize, frozen=True):
    """How many hostile requests, over how many connections, beside how many of Calendly's.

    Args:
        hostile: requests of all rounds that must be refused.
        calm: good ones of all rounds in calm; in the flood as many come as find the time.
        rounds: of calm and flood.
        batch: good ones of a turn; each turn opens new connections.
        connections: of the good ones, all busy all the time.
        flooding: connections of the flood.
        slower: how many times as slow the p99 may become; the fewer are timed, the less it tells.

    """

    SCALES: ClassVar[tuple[str, ...]] = ("hostile", "calm")
    hostile: int
    calm: int
    rounds: int = 25
    batch: int = 400
    connections: int = 32
    flooding: int = 32
    slower: float = 3.0

    @property
    def turns(self) -> int:
        """Turns of good ones in one round's calm."""
        return math.ceil(self.calm / self.rounds / self.batch)


FULL = Size(hostile=100_000, calm=20_000)
SMALL = Size(hostile=1_500, calm=1_200, rounds=2, batch=200, slower=30.0)


class Taken(NamedTuple):
    """Of deliveries: seconds of each answer, the service's most memory (bytes), the answers."""

    latencies: list[float]
    peak: int
    answers: Counter[int]

    @property
    def p99(self) -> float:
        """Milliseconds below which 99 in 100 of the answers came."""
        return sorted(self.latencies)[len(self.latencies) * 99 // 100] * 1_000


class Round(NamedTuple):
    """The good ones in calm and in the flood, and the answers to the flood by status.

    Status 0 is a connection that was closed unanswered.
    """

    calm: Taken
    flood: Taken
    refused: Counter[int]


class Seen(NamedTuple):
    """The result: the good ones without a flood, the rounds, webhooks and bookings stored."""

    alone: Taken
    rounds: list[Round]
    stored: tuple[int, int]


async def run(size: Size) -> list[Row]:
    """Deliver in calm, then in the flood, to one and the same process."""
    settings = {"CALENDLY_WEBHOOK_SIGNING_KEY": SIGNING_KEY, "LOG_LEVEL": "warning"}
    async with open_rig(users=HOSTS, settings=settings) as rig:
        web = rig.run("adapters.cli", "web", "--port", "0")
        port = await web.serves("/health/live")
        sender = _Sender(port, await connect_hosts(rig, HOSTS), size, web)
        seen = await _measure(rig, sender, size)
        await web.stop()
    return [_row(size, seen)]


async def _measure(rig: Rig, sender: "_Sender", size: Size) -> Seen:
    alone = await sender.deliver(size.turns * 2)
    rounds = [await _round(rig, sender, size) for _ in range(size.rounds)]
    return Seen(alone, rounds, await _stored(rig))


async def _round(rig: Rig, sender: "_Sender", size: Size) -> Round:
    beside = await _strangers(rig, SINK, ENDLESS, size)
    calm = await sender.deliver(size.turns)
    await beside.kill()
    flood = await _strangers(rig, sender.port, math.ceil(size.hostile / size.rounds), size)
    during = await sender.deliver_until(lambda: flood.child.exit_status() is not None)
    refused = msgspec.json.decode(await flood.done(within=60), type=dict[int, int])
    return Round(calm, during, Counter(refused))


async def _strangers(rig: Rig, port: int, count: int, size: Size) -> Running:
    flood = rig.run(hostile_flood.__name__, str(port), str(count), str(size.flooding))
    await flood.says()
    return flood


class _Sender:
    """Calendly, which delivers over some connections; it watches the process while it does."""

    def __init__(self, port: int, hosts: list[Host], size: Size, web: Running) -> None:
        self.port = port
        self._hosts, self._size, self._web = hosts, size, web

    async def deliver(self, turns: int) -> Taken:
        """Deliver so many turns."""
        taken = [await self._turn() for _ in range(turns)]
        return _together(taken, taken)

    async def deliver_until(self, ended: Callable[[], bool]) -> Taken:
        """Deliver turn after turn; the last one, which outlasts the end, is not timed."""
        taken: list[Taken] = []
        while not ended():
            taken.append(await self._turn())
        return _together(taken, taken[:-1] or taken)

    async def _turn(self) -> Taken:
        order = Order(self.port, self._size.batch, self._size.connections, self._hosts)
        sending, peak = asyncio.create_task(send(order)), 0
        while not sending.done():
            peak = max(peak, resident(self._web.child.pid))
            await asyncio.wait([sending], timeout=0.1)
        seen = await sending
        return Taken(seen.latencies, peak, Counter(seen.statuses))


def _together(turns: Sequence[Taken], timed: Sequence[Taken]) -> Taken:
    answers = sum((each.answers for each in turns), Counter[int]())
    latencies = [latency for each in timed for latency in each.latencies]
    return Taken(latencies, max(each.peak for each in turns), answers)


async def _stored(rig: Rig) -> tuple[int, int]:
    connection = await asyncpg.connect(rig.postgres.dsn)
    row = await connection.fetchrow(_COUNTS)
    await connection.close()
    return row[0], row[1]


def _row(size: Size, seen: Seen) -> Row:
    rounds = seen.rounds
    refused = sum((each.refused for each in rounds), Counter[int]())
    calm = [seen.alone, *(each.calm for each in rounds)]
    good = sum(
        (each.answers for each in (*calm, *(each.flood for each in rounds))), Counter[int]()
    )
    before = max(seen.alone.peak, rounds[0].calm.peak)
    larger = max(each.flood.peak for each in rounds) / before
    calm_p99, flood_p99 = _p99(each.calm for each in rounds), _p99(each.flood for each in rounds)
    slower = flood_p99 / calm_p99
    spread = sorted(each.flood.p99 / each.calm.p99 for each in rounds)
    return Row(
        what=f"{refused.total():,} unsigned, forged, stale, malformed or oversized requests over"
        f" {size.flooding} connections by a process that takes {hostile_flood.SHARE:.0%} of a"
        f" processor, in {size.rounds} rounds, each after a calm in which it sends elsewhere;"
        f" deliveries over {size.connections} connections all the time",
        must=f"all refused, p99 of the good ones within {size.slower:.0f} times calm (medians of"
        f" the rounds), memory of the web process within {LARGER} times, only the good ones stored",
        seen=f"{_counts(refused)}; p99 {flood_p99:.0f} ms against {calm_p99:.0f} ms"
        f" ({seen.alone.p99:.0f} ms with nobody beside): {slower:.2f} times, by round"
        f" {spread[0]:.2f} to {spread[-1]:.2f}; RSS {before / 1e6:.0f} MB before,"
        f" {larger:.2f} times in the flood; {_counts(good)} to the good ones,"
        f" {seen.stored[0]:,} stored, {seen.stored[1]:,} bookings",
        holds=set(refused) <= REFUSALS | {0}
        and refused.total() >= size.hostile
        and slower <= size.slower
        and larger <= LARGER
        and set(good) == {204}
        and (good[204], good[204]) == seen.stored,
    )


def _p99(phases: Iterable[Taken]) -> float:
    return statistics.median(each.p99 for each in phases)


def _counts(answers: Counter[int]) -> str:
    return ", ".join(f"{many:,} of {status}" for status, many in sorted(answers.items()))
