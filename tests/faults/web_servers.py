"""Several `slotkeeper web` processes, each at an address that it keeps when it is restarted."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from adapters.local_stack.processes.ports import LOOPBACK
from tests.faults.rig import Rig, Running


class WebServers:
    """Server number n is at `urls[n]`, whether it runs or not."""

    def __init__(self, rig: Rig, count: int, environs: Sequence[Mapping[str, str]] = ()) -> None:
        self._rig = rig
        # Each server chooses its port at its first start.
        self._ports = [0] * count
        self._environs = environs or [{}] * count
        self._running: dict[int, Running] = {}

    @property
    def urls(self) -> list[str]:
        return [f"http://{LOOPBACK}:{port}" for port in self._ports]

    async def start(self, number: int) -> None:
        """Start one and wait until it answers. Raises LocalStackError when it does not."""
        await self.start_all([number])

    async def start_all(self, numbers: list[int] | None = None) -> None:
        """Start these, or all, side by side."""
        chosen = list(range(len(self._ports))) if numbers is None else numbers
        for each in chosen:
            port = str(self._ports[each])
            self._running[each] = self._rig.run(
                "adapters.cli", "web", "--port", port, **self._environs[each]
            )
        for each in chosen:
            self._ports[each] = await self._running[each].serves("/health/live")

    def running(self, number: int) -> Running:
        """Return the process of one that runs."""
        return self._running[number]

    async def kill(self, number: int) -> None:
        """`kill -9`."""
        await self._running.pop(number).kill()

    async def stop_all(self) -> None:
        """End those that run in good order."""
        await asyncio.gather(*(each.stop() for each in self._running.values()))


@asynccontextmanager
async def open_servers(
    rig: Rig, count: int, environs: Sequence[Mapping[str, str]] = ()
) -> AsyncIterator[WebServers]:
    """Start so many over the rig's database; stopped at the end.

    Args:
        rig: where.
        count: how many.
        environs: variables of each one beside the rig's, or nothing.

    """
    servers = WebServers(rig, count, environs)
    await servers.start_all()
    try:
        yield servers
    finally:
        await servers.stop_all()
