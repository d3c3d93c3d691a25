"""Temporal goes away while the refresh job runs, and its worker is restarted."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from tests.faults import accounts
from tests.faults.accounts import Verdict
from tests.faults.rig import Rig, Running, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.temporal import Jobs, open_jobs, refreshed

PAGE = 25
# Slow enough for an outage to find the job at work.
ANSWER_SECONDS = 0.1
RESUMES_WITHIN = 300.0


class TemporalSize(Size, frozen=True):
    """How many integrations are due, and for how many seconds Temporal is down.

    Args:
        restart_inside: the worker is restarted while Temporal is down, and the next worker takes
            up its page. Otherwise it is restarted once Temporal is back.

    """

    SCALES: ClassVar[tuple[str, ...]] = ("integrations", "seconds")
    integrations: int
    seconds: float
    restart_inside: bool = True


FULL = TemporalSize(integrations=2_000, seconds=300)
# A page whose worker went away unheard is given up after half a minute: too long for a test.
SMALL = TemporalSize(integrations=100, seconds=2, restart_inside=False)


async def run(size: TemporalSize) -> list[Row]:
    """Stop Temporal in the middle of the job, restart the worker, and let the job end."""
    options = {"PAGE_SIZE": str(PAGE), "REFRESH_RATE": "0"}
    async with open_rig(users=size.integrations, settings=options) as rig:
        connected = await accounts.connect(
            rig, size.integrations, expires_in=timedelta(minutes=30)
        )
        await rig.calendly.fault(path="/oauth/token", kind="latency", seconds=ANSWER_SECONDS)
        async with open_jobs(rig) as jobs:
            before, result = await _interrupt(rig, jobs, size)
        after = await accounts.verdicts(rig, connected)
    return [_row(size, before, result, after)]


async def _interrupt(rig: Rig, jobs: Jobs, size: TemporalSize) -> tuple[int, Any]:
    """Return how many were refreshed when Temporal came back, and what the job came to."""
    worker, job = await jobs.worker(), await jobs.refresh()
    if not await refreshed(rig, size.integrations // 4, within=60):
        raise TimeoutError(f"the job refreshed too little; see {worker.out}.log")
    await jobs.stop()
    await asyncio.sleep(size.seconds / 2)
    if size.restart_inside:
        worker = await _restart(jobs, worker)
    await asyncio.sleep(size.seconds / 2)
    before = await rig.calendly.refreshes()
    await jobs.start()
    if not size.restart_inside:
        # Once it is at work again.
        await refreshed(rig, before + 1, within=RESUMES_WITHIN)
        worker = await _restart(jobs, worker)
    result = await jobs.result(job, within=RESUMES_WITHIN)
    await worker.stop()
    return before, result


async def _restart(jobs: Jobs, worker: Running) -> Running:
    await worker.stop()
    return await jobs.worker()


def _row(size: TemporalSize, before: int, result: Any, after: Sequence[Verdict]) -> Row:
    lost = sum(not each.kept for each in after)
    refreshed = sum(each.grant.exchanges > 0 for each in after)
    return Row(
        what=f"Temporal stopped for {size.seconds:g} s and its worker restarted",
        must="0 lost; the job resumes",
        seen=f"{lost} of {len(after):,} lost; {before:,} refreshed before Temporal was back, "
        f"{refreshed:,} when the same run ended ({result})",
        # A job that was through before the outage resumed nothing.
        holds=lost == 0 and result is not None and before < refreshed == len(after),
    )
