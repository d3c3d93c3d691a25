"""`python -m tests.faults.processes.doomed PLAN`: a run of the refresh job that stops half-way.

PLAN is a file with a JSON object: the step at which the refresh stops, by integration. The
process writes one line for each refresh that stopped, and then waits to be killed.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import msgspec

from adapters.calendly.http import open_http
from adapters.calendly.transport import CalendlyTransport
from adapters.wiring.wire import wire
from tests.faults.processes.holds import HeldStorage, HeldTransport, Holds
from tests.faults.processes.opened import opened


async def main(holds: Holds) -> None:
    """Refresh one page."""
    transport = HeldTransport(CalendlyTransport(limits=httpx.Limits(max_connections=300)), holds)
    async with opened() as made, open_http(transport=transport) as http:
        services = wire(replace(made, storage=HeldStorage(made.storage, holds), http=http))
        await services.refresh_due_tokens(made.settings.page_size, lambda _: None)


if __name__ == "__main__":
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=dict[str, str])
    asyncio.run(main(Holds(plan)))
