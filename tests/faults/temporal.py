"""Temporal and the service's own worker, as scenarios stop and start them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.local_stack.temporal_server import NAMESPACE, TemporalDevServer
from adapters.temporal.connect import connect
from adapters.temporal.jobs import TemporalJobs
from application.ports.jobs import StartedJob
from tests.faults.rig import Rig, Running, eventually


class Jobs:
    """A Temporal server that keeps its state, and the jobs on it."""

    def __init__(self, rig: Rig, server: TemporalDevServer) -> None:
        self._rig = rig
        self._server = server

    async def worker(self) -> Running:
        """Start `slotkeeper worker`; it need not be ready yet.

        It creates no schedules, so that only the scenario starts jobs.
        """
        return self._rig.run("adapters.cli", "worker", "--no-schedules")

    async def refresh(self) -> StartedJob:
        """Start the refresh job, or attach to the run under way."""
        client = await connect(self._server.address, NAMESPACE)
        return await TemporalJobs(client).refresh_tokens()

    async def result(self, of: StartedJob, *, within: float) -> Any:
        """Return what a run came to, once it has ended, or None when it did not in time."""
        client = await connect(self._server.address, NAMESPACE)
        handle = client.get_workflow_handle(of.workflow_id, run_id=of.run_id)
        try:
            async with asyncio.timeout(within):
                return await handle.result()
        except TimeoutError:
            return None

    async def stop(self) -> None:
        """Stop Temporal immediately."""
        await asyncio.to_thread(self._server.stop)

    async def start(self) -> None:
        """Bring it back where it was."""
        await asyncio.to_thread(self._server.start)


@asynccontextmanager
async def open_jobs(rig: Rig) -> AsyncIterator[Jobs]:
    """Start a Temporal server of the rig's; processes started from now on have its address."""
    home = rig.folder / "temporal"
    server = TemporalDevServer(home, persistent=True, durable=False, supervisor=rig.supervisor)
    await asyncio.to_thread(server.start)
    rig.environ["TEMPORAL_ADDRESS"] = server.address
    try:
        yield Jobs(rig, server)
    finally:
        await asyncio.to_thread(server.stop)


async def refreshed(rig: Rig, count: int, *, within: float) -> bool:
    """Wait until Calendly has exchanged so many tokens; return whether it has."""

    async def enough() -> bool:
        return await rig.calendly.refreshes() >= count

    return await eventually(enough, within=within)
