"""The rate at which a real worker fills caches, against a loop that only makes the calls."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

import msgspec

from adapters.local_stack.processes.supervisor import Child
from adapters.temporal import contract
from bench.availability.bare_loop import fetch_all
from bench.availability.simulated_calendly import (
    LENGTHS,
    Host,
    connect_hosts,
    counters_of,
    serve_calendly,
)
from bench.child_process import ChildProcess, child_process
from bench.comparison import Done, Round, Variant, measure_work
from bench.jobs import run_job
from bench.report import Check
from bench.stack import Stack, open_stack
from bench.usage import peak_memory, reset_peak

FASTER = 1.2
TOLERANCE = 1.15  # the allocator's share differs a little from run to run
CALLS = 3 + len(LENGTHS)  # of each user
BARE, WORKER = "bare loop", "worker"
AT_ONCE = 16  # users at a time, the service's default
# With so few users at a time the bare loop is fastest: for each call, httpx's pool looks through
# all its connections.
FASTEST_AT_ONCE = 4
_DUE = """
UPDATE calendly_integration SET sync_due_at = now() - interval '1 second'
WHERE id IN (SELECT id FROM calendly_integration ORDER BY id OFFSET $1 LIMIT $2)
"""
_STATES = """
SELECT (SELECT count(*) FROM calendly_integration WHERE last_synced_at IS NOT NULL) AS synced,
    (SELECT count(*) FROM calendly_integration WHERE sync_lease_owner IS NOT NULL) AS leased,
    (SELECT count(*) FROM calendly_availability_cache WHERE error_code IS NULL) AS parts
"""

Loop: TypeAlias = ChildProcess[[str, list[tuple[str, str]], int], tuple[int, float]]


class Size(msgspec.Struct, frozen=True):
    """Users of all rounds together, rounds, and users of the run before them."""

    users: int = 10_000
    rounds: int = 4
    few: int = 1_000


class Measured(msgspec.Struct, frozen=True):
    """The bare loop, with as many concurrent users as the worker and at its fastest; the worker.

    Args:
        variants: these three.
        peaks: the most memory (bytes) of the worker in the run before the rounds, and in them.
        statuses: the count of Calendly's responses by status.
        states: integrations synced and leased, and parts stored without an error.

    """

    variants: Sequence[Variant]
    peaks: tuple[int, int]
    statuses: dict[int, int]
    states: dict[str, int]

    def figures(self) -> str:
        """Return the figures of each variant, a line each."""
        return "\n".join(each.describe("a call") for each in self.variants)


async def measure(size: Size) -> Measured:
    """Connect all users and take all turns."""
    async with open_stack(temporal=True) as stack:
        numbers = range(size.few + size.users)
        await connect_hosts(stack, numbers, sync_in=timedelta(days=1))
        with serve_calendly(stack), stack.worker() as worker:
            await _sync(stack, worker, numbers[: size.few])
            few = peak_memory(worker.pid)
            reset_peak(worker.pid)
            async with child_process(fetch_all) as loop:
                variants = await _take_turns(stack, worker, loop, size)
            peaks, counters = (few, peak_memory(worker.pid)), await counters_of(stack)
        async with stack.connection() as connection:
            states = dict(await connection.fetchrow(_STATES))
        return Measured(variants, peaks, counters.statuses, states)


async def _take_turns(stack: Stack, worker: Child, loop: Loop, size: Size) -> Sequence[Variant]:
    bare, service = Variant(BARE, BARE, []), Variant(WORKER, WORKER, [])
    fastest = Variant(f"bare loop of {FASTEST_AT_ONCE} concurrent users", BARE, [])
    count = size.users // size.rounds
    for start in range(size.few, size.few + count * size.rounds, count):
        numbers = range(start, start + count)
        bare.rounds.append(await _fetch(stack, loop, numbers, AT_ONCE))
        half = numbers[: -(-count // 2)]
        fastest.rounds.append(await _fetch(stack, loop, half, FASTEST_AT_ONCE))
        service.rounds.append(await _sync(stack, worker, numbers))
    return bare, fastest, service


async def _fetch(stack: Stack, loop: Loop, numbers: range, at_once: int) -> Round:
    users = [(host.uri, host.token) for host in map(Host, numbers)]

    async def work() -> Done:
        return Done(*await loop.call(stack.calendly_url, users, at_once))

    return await measure_work(work, stack.pids | {BARE: loop.pid})


async def _sync(stack: Stack, worker: Child, numbers: range) -> Round:
    async with stack.connection() as connection:
        await connection.execute(_DUE, numbers.start, len(numbers))
        await connection.execute("CHECKPOINT")
    client = await stack.temporal_client()

    async def work() -> Done:
        result = await run_job(client, contract.SYNC_AVAILABILITY)
        return Done(CALLS * result.done.get("synced", 0))

    return await measure_work(work, stack.pids | {WORKER: worker.pid})


def check(
    size: Size, measured: Measured, *, faster: float = FASTER, tolerance: float = TOLERANCE
) -> Check:
    """Check the figures; a busy machine needs other floors than an idle one."""
    bare, fastest, worker = measured.variants
    few, many = (each / 1_000_000 for each in measured.peaks)
    times, growth, states = worker.rate / bare.rate, many / few, measured.states
    whole = size.users - size.users % size.rounds
    stored = size.few + whole
    return Check(
        subject=f"sync of {whole:,} due users, {CALLS} calls each, by one worker in {size.rounds}"
        " turns",
        requirement=f"at least {FASTER} times the calls a second of a bare loop over httpx's"
        f" default transport, as many concurrent users; memory flat: at most {TOLERANCE} times; 0"
        " responses of 429",
        measured=f"{worker.rate:.0f} calls/s against {bare.rate:.0f}/s: {times:.2f} times"
        f" ({worker.rate / fastest.rate:.2f} times {fastest.name}); CPU {worker.cost(WORKER):.2f}"
        f" ms a call against {bare.cost(BARE):.2f} ms; at most {few:.0f} MB with {size.few:,}"
        f" users, {many:.0f} MB with {whole:,}: {growth:.2f} times; Calendly answered"
        f" {measured.statuses}; {states['synced']:,} synced, {states['parts']:,} parts stored,"
        f" {states['leased']} left leased",
        passed=times >= faster
        and growth <= tolerance
        and set(measured.statuses) == {200}
        and bare.operations == worker.operations == CALLS * whole
        and states == {"synced": stored, "parts": CALLS * stored, "leased": 0},
    )
