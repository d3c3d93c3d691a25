"""PostgreSQL stops between Calendly's answers and their commit, and stays down under load.

The new pairs of that moment exist only in the memory of dying work; none may be lost.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import asyncpg
import msgspec

from tests.faults import accounts
from tests.faults.accounts import Connected, Verdict
from tests.faults.rig import Rig, Running, eventually, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.temporal import Jobs, open_jobs, refreshed

# How long an answer of Calendly takes: the time in which the database is taken away.
ANSWER_SECONDS = 1.5
# Long enough for a heartbeat to have left.
KILLED_AFTER = 20.0
SETTLES_WITHIN = 240.0


class OutageSize(Size, frozen=True):
    """How many integrations are due, and for how many seconds the database is down.

    Args:
        killed: the worker is killed, `kill -9`, while the database is down.

    """

    SCALES: ClassVar[tuple[str, ...]] = ("integrations", "seconds")
    integrations: int
    seconds: float
    killed: bool = False


FULL = OutageSize(integrations=1_000, seconds=300)
SMALL = OutageSize(integrations=48, seconds=1.5)


class Struck(msgspec.Struct, frozen=True):
    """The state as the outage began: pairs that no row held yet, and the load."""

    unstored: int
    calls: dict[str, int]


async def run(size: OutageSize) -> list[Row]:
    """Run the outage; at full length once more with the worker killed in it."""
    rows = [await _run_once(size)]
    if size.seconds > KILLED_AFTER:
        rows.append(await _run_once(msgspec.structs.replace(size, killed=True)))
    return rows


async def _run_once(size: OutageSize) -> Row:
    # The server syncs, because committed data has to survive.
    # The concurrency is high, so that the outage meets many answers.
    options = {"REFRESH_RATE": "0", "CONCURRENCY": "64"}
    async with open_rig(users=size.integrations, settings=options, durable=True) as rig:
        connected = await accounts.connect(
            rig, size.integrations, expires_in=timedelta(minutes=30)
        )
        async with open_jobs(rig) as jobs:
            struck = await _strike(rig, jobs, size, connected)
        after = await accounts.verdicts(rig, connected)
    return _row(size, struck, after)


async def _strike(
    rig: Rig, jobs: Jobs, size: OutageSize, connected: Sequence[Connected]
) -> Struck:
    worker, load = await jobs.worker(), _load(rig, connected)
    await load.says()
    await rig.calendly.fault(
        path="/oauth/token", kind="latency", processed=True, seconds=ANSWER_SECONDS
    )
    # Calls that meet a 401 refresh too, and have no job behind them.
    await rig.calendly.expire_access_tokens()
    job = await jobs.refresh()
    if not await refreshed(rig, size.integrations // 4, within=60):
        raise TimeoutError(f"the job refreshed too little; see {worker.out}.log")
    stored = await _stored(rig)
    await rig.crash_postgres()
    worker = await _stay_down(jobs, size, worker)
    unstored = await rig.calendly.refreshes() - stored
    await rig.calendly.heal()
    await asyncio.to_thread(rig.postgres.start)
    await eventually(lambda: _all_kept(rig, connected), within=SETTLES_WITHIN, every=0.5)
    # Later events must not undo it; the run may have to wait for the leases of killed processes.
    await jobs.result(job, within=size.seconds)
    (rig.folder / "stop").touch()
    calls = msgspec.json.decode(await load.done(within=60), type=dict[str, int])
    await worker.stop()
    return Struck(unstored, calls)


async def _stay_down(jobs: Jobs, size: OutageSize, worker: Running) -> Running:
    if not size.killed:
        await asyncio.sleep(size.seconds)
        return worker
    await asyncio.sleep(KILLED_AFTER)
    await worker.kill()
    worker = await jobs.worker()
    await asyncio.sleep(size.seconds - KILLED_AFTER)
    return worker


async def _stored(rig: Rig) -> int:
    connection = await asyncpg.connect(rig.postgres.dsn)
    try:
        return int(
            await connection.fetchval("SELECT sum(token_version - 1) FROM calendly_integration")
        )
    finally:
        await connection.close()


async def _all_kept(rig: Rig, connected: Sequence[Connected]) -> bool:
    return all(each.kept for each in await accounts.verdicts(rig, connected))


def _load(rig: Rig, connected: Sequence[Connected]) -> Running:
    file = rig.folder / "ids.json"
    file.write_bytes(msgspec.json.encode([each.id for each in connected]))
    return rig.run("tests.faults.processes.load", str(file), str(rig.folder / "stop"))


def _row(size: OutageSize, struck: Struck, after: Sequence[Verdict]) -> Row:
    lost = sum(not each.kept for each in after)
    labels = Counter(each.labelled for each in after if each.labelled)
    calls = sum(struck.calls.values())
    how = ", worker killed with `kill -9` meanwhile" if size.killed else ""
    return Row(
        what=f"PostgreSQL stopped between answer and commit and for {size.seconds:g} s "
        f"under load{how}",
        must="0 grants lost",
        seen=f"{lost} of {len(after):,} lost ({struck.unstored} pairs unstored when it went); "
        f"{dict(labels) or 0} labelled; {sum(each.grant.reused for each in after)} reused; "
        f"{struck.calls.get('ok', 0):,} of {calls:,} calls answered",
        # An outage that met no answer proves nothing.
        holds=lost == 0 and struck.unstored > 0,
    )
