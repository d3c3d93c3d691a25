"""The most memory that a worker holds while it refreshes few rows, and many.

The same worker does both, so memory that it kept for each row would add up.
"""

from collections.abc import Sequence

import msgspec

from adapters.local_stack.processes.supervisor import Child
from adapters.temporal import contract
from bench.jobs import run_job
from bench.report import Check
from bench.stack import Stack
from bench.tokens.population import make_due
from bench.usage import peak_memory, reset_peak

MEGABYTE = 1_000_000
# The allocator's share differs a little from run to run.
TOLERANCE = 1.15


class Peak(msgspec.Struct, frozen=True):
    """The most memory (bytes) while so many rows were refreshed."""

    rows: int
    memory: int

    def __str__(self) -> str:
        return f"{self.memory / MEGABYTE:.1f} MB at {self.rows:,}"


async def measure(stack: Stack, worker: Child, rows: int) -> Peak:
    """Refresh so many integrations with this worker."""
    await make_due(stack, 0, rows)
    client = await stack.temporal_client()
    reset_peak(worker.pid)
    result = await run_job(client, contract.REFRESH_TOKENS)
    return Peak(result.done.get("refreshed", 0), peak_memory(worker.pid))


async def check(
    stack: Stack, worker: Child, sizes: Sequence[int], tolerance: float = TOLERANCE
) -> Check:
    """Measure at sizes in ascending order, and check that the memory does not grow."""
    peaks = [await measure(stack, worker, rows) for rows in sizes]
    growth = peaks[-1].memory / peaks[0].memory
    return Check(
        subject=f"memory of the worker from {sizes[0]:,} to {sizes[-1]:,} rows",
        requirement=f"flat: at most {tolerance:.2f} times",
        measured=f"{', '.join(map(str, peaks))}: {growth:.2f} times",
        passed=growth <= tolerance and [each.rows for each in peaks] == list(sizes),
    )
