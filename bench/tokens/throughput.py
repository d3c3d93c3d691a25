"""Exchanges a second: the job by a real worker against a bare loop, in turns.

Both sides exchange as many refresh tokens at the same sandbox, as many at once; in every round
one comes after the other, and the medians of the rounds are compared.
"""

import sys
from typing import Any

from adapters.local_stack.processes.supervisor import Child
from adapters.temporal import contract
from bench.answering import Answering, answering
from bench.jobs import client_of, run_job
from bench.rounds import Round, Side, Work, measured
from bench.row import Row
from bench.tokens.population import grants, make_due, states
from bench.tokens.stage import Stage

CONCURRENCY = 32  # exchanges under way at once, on both sides: the job's default


class Turns:
    """Takes the turns of one stage, round after round, over integrations not yet used."""

    def __init__(self, stage: Stage, size: int) -> None:
        self._stage = stage
        self._size = size
        self._done = 0

    async def bare(self, child: Answering) -> Round:
        """The bare loop's turn, over grants of its own."""
        made = await grants(self._stage, self._done, self._size)
        tokens = [each.refresh_token for each in made]

        async def work() -> tuple[int, float | None]:
            answer = await child.ask(tokens)
            return answer["exchanged"], answer["seconds"]

        return await measured(work, {"bare loop": child.pid, **self._stage.pids})

    async def service(self, name: str, pid: int, work: Work) -> Round:
        """The service's turn, over the next integrations."""
        await make_due(self._stage, self._done, self._size)
        self._done += self._size
        return await measured(work, {name: pid, **self._stage.pids})


async def compare(stage: Stage, worker: Child, rows: int, rounds: int) -> tuple[Side, Side]:
    """Return the bare loop and the job by the one worker that is there."""
    turns, client = Turns(stage, rows // rounds), await client_of(stage)
    bare = Side("bare loop over httpx", "bare loop", [])
    service = Side("the job by one worker", "worker", [])

    async def job() -> tuple[int, float | None]:
        job_result = await run_job(client, contract.REFRESH_TOKENS)
        return job_result.done.get("refreshed", 0), None

    argv = [sys.executable, "-m", "bench.tokens.bare", stage.sandbox_url, str(CONCURRENCY)]
    async with answering(argv, stage.environment) as loop:
        for _ in range(rounds):
            bare.rounds.append(await turns.bare(loop))
            service.rounds.append(await turns.service("worker", worker.pid, job))
    return bare, service


async def use_case(stage: Stage, rows: int, rounds: int) -> Side:
    """Return the use case in a process of its own, without Temporal around it."""
    side = Side("its use case without Temporal", "use case", [])
    turns = Turns(stage, rows // rounds)
    argv = [sys.executable, "-m", "bench.tokens.refresher"]
    async with answering(argv, stage.environment) as child:

        async def work() -> tuple[int, float | None]:
            answer: Any = await child.ask({})
            return answer["tally"]["done"].get("refreshed", 0), answer["seconds"]

        for _ in range(rounds):
            side.rounds.append(await turns.service("use case", child.pid, work))
    return side


async def row(stage: Stage, bare: Side, service: Side, floor: float = 1.0) -> Row:
    """Return the judgement, before anything else is refreshed on the stage.

    Args:
        stage: where both sides took their turns.
        bare: the bare loop's rounds.
        service: the worker's rounds.
        floor: how many times the bare loop's throughput the worker must reach.

    """
    found = await states(stage)
    rate, done = service.rate / bare.rate, service.done
    cost, bare_cost = service.cost("worker"), bare.cost("bare loop")
    return Row(
        what=f"{done:,} due integrations by the job, one worker",
        must="at least the throughput of a bare loop over httpx; each exchanged once, none lost",
        seen=f"{service.rate:.0f}/s against {bare.rate:.0f}/s, {rate:.2f} times; CPU {cost:.2f} ms"
        f" an exchange against {bare_cost:.2f} ms; {found['refreshed']:,} refreshed,"
        f" {found['lost']} lost, {found['leased'] + found['unsettled']} left open",
        holds=rate >= floor
        and found["refreshed"] == done == bare.done
        and not (found["lost"] or found["leased"] or found["unsettled"]),
    )
