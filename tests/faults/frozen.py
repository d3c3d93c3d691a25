"""The worker and the web process are stopped while Calendly's answers to refreshes arrive.

A paused virtual machine does this, and so does a debugger. Each request was processed, so an
answer that is thrown away is a lost grant.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import httpx

from tests.faults import accounts
from tests.faults.accounts import Verdict
from tests.faults.rig import Rig, Running, eventually, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.temporal import open_jobs
from tests.faults.web_servers import WebServers

# How long an answer of Calendly takes: the time in which the process is stopped.
ANSWER_SECONDS = 3.0
STORED_WITHIN = 60.0


class FrozenSize(Size, frozen=True):
    """How many answers are on their way, and for how many seconds each process is stopped."""

    SCALES: ClassVar[tuple[str, ...]] = ("answers",)
    answers: int
    worker: tuple[float, ...]
    web: tuple[float, ...]


FULL = FrozenSize(answers=24, worker=(12.0, 20.0), web=(12.0, 20.0))
SMALL = FrozenSize(answers=8, worker=(), web=(12.0,))


async def run(size: FrozenSize) -> list[Row]:
    """Stop each process for each time, on accounts of its own."""
    rows = [await _worker(size.answers, seconds) for seconds in size.worker]
    return rows + [await _web(size.answers, seconds) for seconds in size.web]


async def _worker(answers: int, seconds: float) -> Row:
    options = {"REFRESH_RATE": "0", "CONCURRENCY": str(answers)}
    async with open_rig(users=answers, settings=options) as rig:
        connected = await accounts.connect(rig, answers, expires_in=timedelta(minutes=30))
        await _slow(rig)
        async with open_jobs(rig) as jobs:
            worker = await jobs.worker()
            await jobs.refresh()
            await _pause(rig, worker, answers, seconds)
            await _settled(rig, connected)
            await worker.stop()
        return _row("worker", seconds, await accounts.verdicts(rig, connected))


async def _web(answers: int, seconds: float) -> Row:
    options = {"CONCURRENCY": str(answers)}
    async with open_rig(users=answers, settings=options) as rig:
        connected = await accounts.connect(rig, answers, expires_in=timedelta(minutes=30))
        key = await rig.run("adapters.cli", "keys", "create", "--name", "frozen", "--quiet").done(
            within=60
        )
        await _slow(rig)
        servers = WebServers(rig, 1)
        await servers.start_all()
        async with httpx.AsyncClient(timeout=120, trust_env=False) as http:
            asked = [
                asyncio.ensure_future(
                    http.post(
                        f"{servers.urls[0]}/api/calendly/integration/refresh",
                        headers={
                            "Authorization": f"Bearer {key}",
                            "X-User-Id": f"person-{number}",
                        },
                    )
                )
                for number in range(answers)
            ]
            await _pause(rig, servers.running(0), answers, seconds)
            await asyncio.gather(*asked, return_exceptions=True)
            await _settled(rig, connected)
        await servers.stop_all()
        return _row("web process", seconds, await accounts.verdicts(rig, connected))


async def _slow(rig: Rig) -> None:
    await rig.calendly.fault(
        path="/oauth/token", kind="latency", processed=True, seconds=ANSWER_SECONDS
    )


async def _pause(rig: Rig, process: Running, answers: int, seconds: float) -> None:
    """Stop the process once all requests are on their way, and continue it later."""

    async def all_arrived() -> bool:
        return await rig.calendly.struck() >= answers

    if not await eventually(all_arrived, within=60):
        raise TimeoutError(f"no {answers} requests arrived; see {process.out}.log")
    os.kill(process.child.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(process.child.pid, signal.SIGCONT)


async def _settled(rig: Rig, connected: Sequence[accounts.Connected]) -> None:
    await eventually(lambda: _all_kept(rig, connected), within=STORED_WITHIN / 2, every=0.5)


async def _all_kept(rig: Rig, connected: Sequence[accounts.Connected]) -> bool:
    return all(each.kept for each in await accounts.verdicts(rig, connected))


def _row(process: str, seconds: float, after: Sequence[Verdict]) -> Row:
    kept = sum(each.kept and each.grant.exchanges == 1 for each in after)
    reused = sum(each.grant.reused for each in after)
    return Row(
        what=f"SIGSTOP of the {process} for {seconds:g} s with {len(after)} answers on the way",
        must="every pair is kept",
        seen=f"{kept} of {len(after)} kept; {reused} spent tokens sent again",
        holds=kept == len(after) and not reused,
    )
