"""Connections to PostgreSQL that lie: established ones go silent, or every session is read-only.

Both happen under load: a firewall that forgets its connections, and a failover whose old primary
goes on answering.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import ClassVar, NamedTuple

import asyncpg

from tests.faults.network import Network, open_network
from tests.faults.rig import Rig, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize
from tests.faults.steady import (
    SETTINGS,
    STORED,
    Answer,
    Deliveries,
    connect_hosts,
    open_web,
    stored,
    told,
)

HOSTS = 10
ANSWERED_WITHIN = 8.0
GOOD_WITHIN = 3.0
_BEFORE = 1.0
_AFTER = 5.0
_TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'slotkeeper' AND pid <> pg_backend_pid()"
)


class Size(AnySize, frozen=True):
    """For how many seconds each fault lasts, beside how many deliveries a second."""

    SCALES: ClassVar[tuple[str, ...]] = ("seconds",)
    seconds: float
    per_second: int = 20


FULL = Size(seconds=30)
SMALL = Size(seconds=1.5, per_second=10)


class Phase(NamedTuple):
    """The answers of one fault, when it began to be possible to store, and what was kept."""

    answers: Sequence[Answer]
    well_at: float
    sent: int
    stored: int

    @property
    def slowest(self) -> float:
        """Seconds of the slowest answer."""
        return max(each.seconds for each in self.answers)

    @property
    def good_after(self) -> float:
        """Seconds from a writable server to the last delivery sent that was refused."""
        refused = [each.at for each in self.answers if each.status != STORED]
        return max([0.0, *(at - self.well_at for at in refused)])


async def run(size: Size) -> list[Row]:
    """Run both faults, one after the other, against one process."""
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(open_rig(users=HOSTS, settings=SETTINGS))
        network, url = await stack.enter_async_context(open_network(rig.postgres.dsn))
        web, port = await open_web(rig, DATABASE_URL=url)
        deliveries = Deliveries(port, await connect_hosts(rig, HOSTS), size.per_second)
        silent = await _silent(rig, network, deliveries, size)
        read_only = await _read_only(rig, deliveries, size)
        await web.stop()
    return [
        _row(
            "The connections to PostgreSQL are black-holed, new ones are carried",
            size,
            silent,
            # The connections are known to be silent only after the time limit of a statement.
            good_within=ANSWERED_WITHIN,
        ),
        _row(
            "Every session of PostgreSQL becomes read-only, its connections end, and it is"
            " writable again",
            size,
            read_only,
            good_within=GOOD_WITHIN,
        ),
    ]


async def _silent(rig: Rig, network: Network, deliveries: Deliveries, size: Size) -> Phase:
    sending = asyncio.create_task(deliveries.send_for(_BEFORE + size.seconds + _AFTER))
    await asyncio.sleep(_BEFORE)
    network.silence()
    well_at = time.monotonic()
    return await _kept(rig, deliveries, await sending, well_at)


async def _read_only(rig: Rig, deliveries: Deliveries, size: Size) -> Phase:
    operator = await asyncpg.connect(rig.postgres.dsn)
    role = await operator.fetchval("SELECT quote_ident(current_user)")
    sending = asyncio.create_task(deliveries.send_for(_BEFORE + size.seconds + GOOD_WITHIN))
    await asyncio.sleep(_BEFORE)
    await operator.execute(f"ALTER ROLE {role} SET default_transaction_read_only = on")
    await operator.execute(_TERMINATE)
    await asyncio.sleep(size.seconds)
    await operator.execute(f"ALTER ROLE {role} RESET default_transaction_read_only")
    well_at = time.monotonic()
    await operator.close()
    return await _kept(rig, deliveries, await sending, well_at)


async def _kept(
    rig: Rig, deliveries: Deliveries, answers: Sequence[Answer], well_at: float
) -> Phase:
    await deliveries.repeat()
    return Phase(answers, well_at, deliveries.sent, await stored(rig))


def _row(what: str, size: Size, phase: Phase, *, good_within: float) -> Row:
    return Row(
        what=f"{what}, for {size.seconds:g} s; {size.per_second} webhooks a second",
        must=f"every delivery answered within {ANSWERED_WITHIN:g} s, good again within"
        f" {good_within:g} s, 0 lost",
        seen=f"{told(phase.answers)}; the slowest answer {phase.slowest:.1f} s; good again after"
        f" {phase.good_after:.1f} s; {phase.stored:,} of {phase.sent:,} stored after Calendly's"
        " repetitions",
        holds=phase.slowest <= ANSWERED_WITHIN
        and phase.good_after <= good_within
        and phase.stored == phase.sent,
    )
