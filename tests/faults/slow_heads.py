"""Connections that stay open and send nothing, or heads that never end, beside good requests."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import msgspec

from bench.usage import resident
from tests.faults.processes.slow_senders import Closed
from tests.faults.rig import Rig, Running, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize
from tests.faults.steady import (
    SETTINGS,
    STORED,
    Answer,
    Deliveries,
    connect_hosts,
    open_web,
    p99,
    probe,
    told,
)

HOSTS = 10
LARGER = 1.3
TOO_LARGE = 431


class Size(AnySize, frozen=True):
    """How many connections of each kind, and for how many seconds.

    Args:
        silent: connections that send nothing.
        slow: connections that send a head slowly.
        seconds: of calm, and among them.
        slower: how many times as slow the p99 of the good requests may become.

    """

    SCALES: ClassVar[tuple[str, ...]] = ("silent", "slow")
    silent: int
    slow: int
    seconds: float = 20.0
    per_second: int = 20
    slower: float = 3.0


FULL = Size(silent=2_000, slow=500)
SMALL = Size(silent=60, slow=20, seconds=2.0, slower=60.0)


class Phase(NamedTuple):
    """The answers to the good requests, and the most memory of the web process (bytes)."""

    webhooks: Sequence[Answer]
    probes: Sequence[Answer]
    peak: int


async def run(size: Size) -> list[Row]:
    """Deliver and probe in calm, and among the others."""
    async with open_rig(users=HOSTS, settings=SETTINGS) as rig:
        web, port = await open_web(rig)
        deliveries = Deliveries(port, await connect_hosts(rig, HOSTS), size.per_second)
        await deliveries.send_for(1)
        calm = await _phase(web, deliveries, port, size.seconds)
        stop = rig.folder / "stop"
        others = await _others(rig, port, size)
        hard = await _phase(web, deliveries, port, size.seconds)
        stop.touch()
        closed = msgspec.json.decode(await others.done(within=60), type=Closed)
        await web.stop()
    return [_row(size, calm, hard, closed)]


async def _others(rig: Rig, port: int, size: Size) -> Running:
    others = rig.run(
        "tests.faults.processes.slow_senders",
        str(port),
        str(size.silent),
        str(size.slow),
        str(rig.folder / "stop"),
    )
    await others.says()
    await asyncio.sleep(1.0)
    return others


async def _phase(web: Running, deliveries: Deliveries, port: int, seconds: float) -> Phase:
    sending = asyncio.create_task(deliveries.send_for(seconds))
    measuring = asyncio.create_task(_peak(web, sending))
    probes = await probe(port, sending)
    return Phase(sending.result(), probes, await measuring)


async def _peak(web: Running, while_: asyncio.Task[list[Answer]]) -> int:
    peak = 0
    while not while_.done():
        peak = max(peak, resident(web.child.pid))
        await asyncio.wait([while_], timeout=0.1)
    return peak


def _row(size: Size, calm: Phase, hard: Phase, closed: Closed) -> Row:
    slower = p99(hard.webhooks) / p99(calm.webhooks)
    larger = hard.peak / calm.peak
    return Row(
        what=f"{size.silent:,} silent connections, {size.slow} slow heads and an endless one for"
        f" {size.seconds:g} s, each opened again when it is closed; {size.per_second} webhooks a"
        " second beside them",
        must=f"every good request answered, p99 within {size.slower:g} times calm, memory within"
        f" {LARGER} times, the endless head 431",
        seen=f"webhooks: {told(hard.webhooks)}, p99 {p99(hard.webhooks):.0f} ms against"
        f" {p99(calm.webhooks):.0f} ms: {slower:.2f} times; probes: {told(hard.probes)}; RSS"
        f" {calm.peak / 1e6:.0f} MB, {larger:.2f} times; closed: {closed.silent:,} silent,"
        f" {closed.slow:,} slow; endless heads: {dict(closed.endless)} after"
        f" {closed.endless_bytes / 1e6:.1f} MB in all",
        holds={each.status for each in hard.webhooks} == {STORED}
        and {each.status for each in hard.probes} == {200}
        and slower <= size.slower
        and larger <= LARGER
        and set(closed.endless) == {TOO_LARGE},
    )
