"""`python -m tests.faults.processes.job`: one run of the refresh job; prints its counts."""

import asyncio
import sys

import msgspec

from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from application.jobs.job_result import JobResult
from tests.faults.processes.opened import opened


async def drain(services: Services) -> JobResult:
    """Work page after page until nothing more is due."""
    limit = services.settings.page_size
    total = JobResult(more=True)
    while total.more:
        total = total.plus(await services.refresh_due_tokens(limit, lambda _: None))
    return total


async def main() -> None:
    """Run the job once."""
    async with opened() as made:
        sys.stdout.write(msgspec.json.encode(await drain(wire(made))).decode() + "\n")


if __name__ == "__main__":
    asyncio.run(main())
