"""Exchanges a second: the job by a real worker against a bare loop, in turns.

Both exchange the same number of refresh tokens at the same sandbox with the same concurrency. The
medians of the rounds are compared.
"""

from adapters.local_stack.processes.supervisor import Child
from adapters.temporal import contract
from bench.child_process import child_process
from bench.comparison import Done, Round, Variant, Work, measure_work
from bench.jobs import run_job
from bench.population import sandbox_grants
from bench.report import Check
from bench.stack import Stack
from bench.tokens.bare import exchange_all
from bench.tokens.population import make_due, states
from bench.tokens.refresher import refresh_all

BARE, WORKER, USE_CASE = "bare loop", "worker", "use case"
CONCURRENCY = 32  # concurrent exchanges, for both: the job's default


async def compare(stack: Stack, worker: Child, rows: int, rounds: int) -> tuple[Variant, Variant]:
    """Return the bare loop, and the job by this worker, which is the only one."""
    bare = Variant("bare loop over httpx", BARE, [])
    service = Variant("the job by one worker", WORKER, [])
    client, size = await stack.temporal_client(), rows // rounds

    async def job() -> Done:
        result = await run_job(client, contract.REFRESH_TOKENS)
        return Done(result.done.get("refreshed", 0))

    async with child_process(exchange_all, stack.environment) as loop:
        for offset in range(0, size * rounds, size):
            grants = await sandbox_grants(stack.calendly_url, offset, size)
            tokens = [each.refresh_token for each in grants]

            async def exchange(tokens: list[str] = tokens) -> Done:
                return Done(*await loop.call(stack.calendly_url, tokens, CONCURRENCY))

            bare.rounds.append(await measure_work(exchange, {BARE: loop.pid} | stack.pids))
            pids = {WORKER: worker.pid} | stack.pids
            service.rounds.append(await _refresh(stack, offset, size, job, pids))
    return bare, service


async def without_temporal(stack: Stack, rows: int, rounds: int) -> Variant:
    """Return the use case in a process of its own, without Temporal around it."""
    variant = Variant("its use case without Temporal", USE_CASE, [])
    size = rows // rounds
    async with child_process(refresh_all, stack.environment) as child:

        async def refresh() -> Done:
            return Done(*await child.call())

        for offset in range(0, size * rounds, size):
            pids = {USE_CASE: child.pid} | stack.pids
            variant.rounds.append(await _refresh(stack, offset, size, refresh, pids))
    return variant


async def _refresh(
    stack: Stack, offset: int, size: int, work: Work, pids: dict[str, int]
) -> Round:
    """Let the next integrations become due, and measure the work on them."""
    await make_due(stack, offset, size)
    return await measure_work(work, pids)


async def check(stack: Stack, bare: Variant, service: Variant, floor: float = 1.0) -> Check:
    """Check the comparison, before anything else is refreshed on the stack.

    Args:
        stack: where both took their turns.
        bare: the rounds of the bare loop.
        service: the rounds of the worker.
        floor: how many times the bare loop's throughput the worker must reach.

    """
    left = await states(stack)
    rate, done = service.rate / bare.rate, service.operations
    cost, bare_cost = service.cost(WORKER), bare.cost(BARE)
    return Check(
        subject=f"{done:,} due integrations by the job, one worker",
        requirement="at least the throughput of a bare loop over httpx; each token exchanged once,"
        " none lost",
        measured=f"{service.rate:.0f}/s against {bare.rate:.0f}/s, {rate:.2f} times; CPU"
        f" {cost:.2f} ms an exchange against {bare_cost:.2f} ms; {left['refreshed']:,} refreshed,"
        f" {left['lost']} lost, {left['leased'] + left['unsettled']} left open",
        passed=rate >= floor
        and left["refreshed"] == done == bare.operations
        and not (left["lost"] or left["leased"] or left["unsettled"]),
    )
