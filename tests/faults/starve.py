"""More reads than the service can answer, on a table that is locked, beside Calendly's webhooks.

Reads may wait, and webhooks may not. In calm the readers send to a sink. So the comparison shows
the cost to the service, and not the cost of making the reads.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import asyncpg
import msgspec

from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from application.security.manage_api_keys import ManageApiKeys
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
    stored,
    told,
)

HOSTS = 10
SINK = 0
_LOCK = "LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE"


class Size(AnySize, frozen=True):
    """For how many seconds each part lasts, and how much comes a second.

    Args:
        seconds: of calm; of reads alone; of reads on the locked table.
        reads: a second.
        per_second: webhooks.
        slower: how many times as slow the p99 of the webhooks may become.

    """

    SCALES: ClassVar[tuple[str, ...]] = ("seconds",)
    seconds: float
    reads: int = 500
    per_second: int = 20
    slower: float = 3.0


FULL = Size(seconds=20)
# Few are timed, so the slowest of them says little.
SMALL = Size(seconds=2, reads=200, slower=60.0)


class Phase(NamedTuple):
    """The answers to webhooks, to probes, and to reads by status."""

    webhooks: Sequence[Answer]
    probes: Sequence[Answer]
    reads: Counter[int]


async def run(size: Size) -> list[Row]:
    """Deliver in calm, among too many reads, and among reads of a locked table."""
    async with open_rig(users=HOSTS, settings=SETTINGS) as rig:
        web, port = await open_web(rig)
        deliveries = Deliveries(port, await connect_hosts(rig, HOSTS), size.per_second)
        await deliveries.send_for(1)
        key = await _key(rig)
        calm = await _phase(rig, deliveries, size, (SINK, port), key)
        over = await _phase(rig, deliveries, size, (port, port), key)
        locker = await asyncpg.connect(rig.postgres.dsn)
        async with locker.transaction():
            await locker.execute(_LOCK)
            locked = await _phase(rig, deliveries, size, (port, port), key)
        await locker.close()
        kept = await stored(rig)
        await web.stop()
    return [
        _row(f"{size.reads} reads a second, over capacity", size, calm, over, None),
        _row(
            f"the same for {size.seconds:g} s in which a table of the reads is locked",
            size,
            calm,
            locked,
            (deliveries.sent, kept),
        ),
    ]


async def _key(rig: Rig) -> str:
    keys = ManageApiKeys(storage=rig.storage, randomness=SystemRandomness(), clock=SystemClock())
    _, key = await keys.create("reader")
    return key.reveal()


async def _phase(
    rig: Rig, deliveries: Deliveries, size: Size, ports: tuple[int, int], key: str
) -> Phase:
    """Deliver beside the readers; `ports` are those of the readers and of the service."""
    reads_to, port = ports
    stop = rig.folder / f"stop.{next(rig.count)}"
    readers: Running = rig.run(
        "tests.faults.processes.readers",
        str(reads_to),
        str(size.reads),
        key,
        "person-0",
        str(stop),
    )
    await readers.says()
    await asyncio.sleep(0.5)
    sending = asyncio.create_task(deliveries.send_for(size.seconds))
    probes = await probe(port, sending)
    stop.touch()
    reads = msgspec.json.decode(await readers.done(within=60), type=dict[int, int])
    return Phase(sending.result(), probes, Counter(reads))


def _row(what: str, size: Size, calm: Phase, hard: Phase, kept: tuple[int, int] | None) -> Row:
    slower = p99(hard.webhooks) / p99(calm.webhooks)
    reads = ", ".join(f"{many:,} of {status}" for status, many in sorted(hard.reads.items()))
    all_kept = kept is None or kept[0] == kept[1]
    return Row(
        what=f"{what}, beside {size.per_second} webhooks a second",
        must=f"0 webhooks refused, their p99 within {size.slower:g} times calm, `/health/live`"
        " 200 throughout",
        seen=f"webhooks: {told(hard.webhooks)}; p99 {p99(hard.webhooks):.0f} ms against"
        f" {p99(calm.webhooks):.0f} ms: {slower:.2f} times; probes: {told(hard.probes)}, the"
        f" slowest {max(each.seconds for each in hard.probes) * 1_000:.0f} ms; reads: {reads}",
        holds={each.status for each in hard.webhooks} == {STORED}
        and {each.status for each in hard.probes} == {200}
        and slower <= size.slower
        and all_kept,
    )
