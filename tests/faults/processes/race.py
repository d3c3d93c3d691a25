"""`python -m tests.faults.processes.race IDS GO`: refresh everything in every way, concurrently.

Waits until the file GO exists. Then the job, API calls that meet a 401 and an operator's "refresh
now" run side by side over the same integrations. Prints how each ended, as JSON counts.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from adapters.calendly.accounts import CalendlyAccountsGateway
from adapters.wiring.calendly import calendly_of
from adapters.wiring.resources import Resources
from adapters.wiring.wire import wire
from domain.errors import SlotkeeperError
from domain.ids import IntegrationId
from tests.faults.processes.job import drain
from tests.faults.processes.opened import opened

AT_ONCE = 4
STALE = 1  # the version that all of them start from


class Racing:
    """Everything that refreshes, over one way to Calendly."""

    def __init__(self, made: Resources) -> None:
        way = calendly_of(made)
        self._session, self._refresh = way.session, way.refresh
        self._accounts = CalendlyAccountsGateway(way.api)
        self.ended: Counter[str] = Counter()

    async def call(self, integration_id: IntegrationId) -> None:
        """Ask Calendly something for the integration."""
        await self._session.call(integration_id, self._accounts.me)

    async def press(self, integration_id: IntegrationId) -> None:
        """Press "refresh now" on a page that shows the first version."""
        await self._refresh.run(integration_id, stale_version=STALE)

    async def over(
        self, name: str, work: Callable[[IntegrationId], Awaitable[None]], ids: Sequence[str]
    ) -> None:
        """Do it to all, a few at the same time, and count how it ended."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(integration_id: IntegrationId) -> None:
            async with gate:
                try:
                    await work(integration_id)
                except SlotkeeperError as error:
                    self.ended[f"{name}:{error.code}"] += 1
                else:
                    self.ended[f"{name}:ok"] += 1

        async with asyncio.TaskGroup() as group:
            for each in msgspec.convert(ids, list[IntegrationId]):
                group.create_task(one(each))


async def main(ids: Sequence[str], go: Path) -> None:
    """Race."""
    async with opened() as made:
        services, racing = wire(made), Racing(made)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while not go.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
            await asyncio.sleep(0.005)
        async with asyncio.TaskGroup() as group:
            group.create_task(drain(services))
            group.create_task(racing.over("api", racing.call, ids))
            group.create_task(racing.over("operator", racing.press, ids))
    sys.stdout.write(msgspec.json.encode(racing.ended).decode() + "\n")


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2])))
