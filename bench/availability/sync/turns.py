"""The sync by a real worker and the bare loop, by turns, at the same Calendly."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import NamedTuple

import asyncpg
import httpx
import msgspec
from msgspec.structs import replace
from temporalio.client import Client

from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.supervisor import Child
from adapters.temporal import contract
from bench.answering import Answering, answering
from bench.availability.calendly.__main__ import COUNTERS
from bench.availability.calendly.hosts import SCOPE, Host
from bench.availability.sync.bare import CALLS, FASTEST, Turn
from bench.jobs import TemporalStage, client_of, run_job
from bench.population import Grant, connect
from bench.rounds import Round, Side, measured
from bench.stage import Server, staged
from bench.usage import forget_peak, peak_memory

BARE, WORKER = "bare loop", "worker"
AT_ITS_BEST = f"bare loop of {FASTEST} users at once"
_DAY = timedelta(days=1)
_DUE = """
UPDATE calendly_integration SET sync_due_at = now() - interval '1 second'
WHERE id IN (SELECT id FROM calendly_integration ORDER BY id OFFSET $1 LIMIT $2)
"""
_STATES = """
SELECT (SELECT count(*) FROM calendly_integration WHERE last_synced_at IS NOT NULL) AS synced,
    (SELECT count(*) FROM calendly_integration WHERE sync_lease_owner IS NOT NULL) AS leased,
    (SELECT count(*) FROM calendly_availability_cache WHERE error_code IS NULL) AS parts
"""


class Size(msgspec.Struct, frozen=True):
    """Users of all turns together, turns of each side, and users of the run before them."""

    users: int = 10_000
    rounds: int = 4
    few: int = 1_000

    @property
    def all(self) -> int:
        """Users that are connected."""
        return self.few + self.users


class Seen(NamedTuple):
    """What all turns came to.

    Args:
        bare: with as many users at once as the worker has.
        best: with as few as it is fastest with.
        peaks: the most memory (bytes) of the worker in the run before the turns, and in them.
        statuses: what Calendly answered, by status.
        states: integrations synced and leased, and parts stored without an error.

    """

    bare: Side
    best: Side
    worker: Side
    peaks: tuple[int, int]
    statuses: dict[int, int]
    states: dict[str, int]


async def measure(size: Size) -> Seen:
    """Connect everybody and take all turns."""
    async with staged(TemporalStage) as stage:
        with stage.serving(
            "calendly",
            lambda port: ["-m", "bench.availability.calendly", str(port)],
            plain_environment(),
            COUNTERS,
        ) as calendly:
            hosts = [Host(number) for number in range(size.all)]
            await connect(stage, [_grant(host) for host in hosts], lasting=_DAY, sync_in=_DAY)
            with _worker(stage, calendly) as worker:
                async with _bare(calendly) as bare:
                    turns = _Turns(stage, calendly, worker, await client_of(stage))
                    return await turns.all(size, bare)


class _Turns:
    """Takes turns over integrations not yet used."""

    def __init__(
        self, stage: TemporalStage, calendly: Server, worker: Child, client: Client
    ) -> None:
        self._stage = stage
        self._calendly = calendly
        self._worker = worker
        self._client = client
        self._used = 0

    async def all(self, size: Size, loop: Answering) -> Seen:
        """Take them."""
        bare, best = Side(BARE, BARE, []), Side(AT_ITS_BEST, BARE, [])
        worker = Side(WORKER, WORKER, [])
        peak = await self._peak_of_few(size.few)
        forget_peak(self._worker.pid)
        for _ in range(size.rounds):
            turn = Turn(self._used, size.users // size.rounds)
            bare.rounds.append(await self._by_loop(loop, turn))
            few_at_once = replace(turn, count=-(-turn.count // 2), at_once=FASTEST)
            best.rounds.append(await self._by_loop(loop, few_at_once))
            worker.rounds.append(await self._by_worker(turn.count))
        peaks = peak, peak_memory(self._worker.pid)
        return Seen(bare, best, worker, peaks, await self._statuses(), await self._states())

    async def _peak_of_few(self, count: int) -> int:
        await self._by_worker(count)
        return peak_memory(self._worker.pid)

    async def _by_loop(self, loop: Answering, turn: Turn) -> Round:
        async def work() -> tuple[int, float]:
            answer = await loop.ask(msgspec.to_builtins(turn))
            return answer["answers"], answer["seconds"]

        return await measured(work, self._pids | {BARE: loop.pid})

    async def _by_worker(self, count: int) -> Round:
        await self._execute(_DUE, self._used, count)
        await self._execute("CHECKPOINT")
        self._used += count

        async def work() -> tuple[int, None]:
            job_result = await run_job(self._client, contract.SYNC_AVAILABILITY)
            return CALLS * job_result.done.get("synced", 0), None

        return await measured(work, self._pids | {WORKER: self._worker.pid})

    @property
    def _pids(self) -> dict[str, int]:
        return self._stage.pids | {"Calendly": self._calendly.child.pid}

    async def _statuses(self) -> dict[int, int]:
        async with httpx.AsyncClient(base_url=self._calendly.url) as http:
            counted = (await http.get(COUNTERS)).json()["statuses"]
        return {int(status): count for status, count in counted.items()}

    async def _states(self) -> dict[str, int]:
        connection = await asyncpg.connect(self._stage.postgres.dsn)
        row = await connection.fetchrow(_STATES)
        await connection.close()
        return dict(row)

    async def _execute(self, query: str, *values: object) -> None:
        connection = await asyncpg.connect(self._stage.postgres.dsn)
        await connection.execute(query, *values)
        await connection.close()


@contextmanager
def _worker(stage: TemporalStage, calendly: Server) -> Iterator[Child]:
    with stage.worker(CALENDLY_API_URL=calendly.url, CALENDLY_AUTH_URL=calendly.url) as worker:
        yield worker


@asynccontextmanager
async def _bare(calendly: Server) -> AsyncIterator[Answering]:
    argv = [sys.executable, "-m", "bench.availability.sync.bare", calendly.url]
    async with answering(argv, plain_environment()) as loop:
        yield loop


def _grant(host: Host) -> Grant:
    return Grant(host.uri, "organization", host.token, f"refresh-{host.tag}", SCOPE)
