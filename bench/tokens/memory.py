"""The most memory that a worker holds while it works few rows, and many.

The same worker does both: whatever it kept of each row would add up.
"""

from collections.abc import Sequence

import msgspec

from adapters.local_stack.processes.supervisor import Child
from adapters.temporal import contract
from bench.jobs import client_of, run_job
from bench.row import Row
from bench.tokens.population import make_due
from bench.tokens.stage import Stage
from bench.usage import forget_peak, peak_memory

MEGABYTE = 1_000_000
# What an allocator keeps of the largest page differs a little from run to run.
SLACK = 1.15


class Peak(msgspec.Struct, frozen=True):
    """The most memory (bytes) while so many rows were refreshed."""

    rows: int
    memory: int

    def __str__(self) -> str:
        return f"{self.memory / MEGABYTE:.1f} MB at {self.rows:,}"


async def peak(stage: Stage, worker: Child, rows: int) -> Peak:
    """Refresh so many integrations with this worker."""
    await make_due(stage, 0, rows)
    client = await client_of(stage)
    forget_peak(worker.pid)
    job_result = await run_job(client, contract.REFRESH_TOKENS)
    return Peak(job_result.done.get("refreshed", 0), peak_memory(worker.pid))


async def row(stage: Stage, worker: Child, sizes: Sequence[int], slack: float = SLACK) -> Row:
    """Return the judgement over sizes in ascending order."""
    peaks = [await peak(stage, worker, rows) for rows in sizes]
    growth = peaks[-1].memory / peaks[0].memory
    return Row(
        what=f"memory of the worker from {sizes[0]:,} to {sizes[-1]:,} rows",
        must=f"flat: at most {slack:.2f} times",
        seen=f"{', '.join(map(str, peaks))}: {growth:.2f} times",
        holds=growth <= slack and [each.rows for each in peaks] == list(sizes),
    )
