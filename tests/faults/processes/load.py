"""`python -m tests.faults.processes.load IDS STOP`: API calls without a pause.

Calls Calendly for one integration after the other until the file STOP exists; prints how the
calls ended, as JSON counts.
"""

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from adapters.calendly.accounts import CalendlyAccountsGateway
from adapters.wiring.calendly import Calendly, calendly_of
from domain.errors import SlotkeeperError
from domain.ids import IntegrationId
from tests.faults.processes.opened import opened

AT_ONCE = 4
PAUSE = 0.02  # seconds; the load is to be met, not to fill the machine


async def call(way: Calendly, ids: Iterator[IntegrationId], stop: Path) -> Counter[str]:
    """Call until the file exists."""
    accounts, ended = CalendlyAccountsGateway(way.api), Counter[str]()
    while not stop.exists():  # noqa: ASYNC240 - another process makes it
        try:
            await way.session.call(next(ids), accounts.me)
        except SlotkeeperError as error:
            ended[error.code] += 1
        else:
            ended["ok"] += 1
        await asyncio.sleep(PAUSE)
    return ended


async def main(ids: Sequence[IntegrationId], stop: Path) -> None:
    """Call from several sides."""
    async with opened() as made:
        way, turns = calendly_of(made), itertools.cycle(ids)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        counts = await asyncio.gather(*(call(way, turns, stop) for _ in range(AT_ONCE)))
    total = sum(counts, Counter[str]())
    sys.stdout.write(msgspec.json.encode(total).decode() + "\n")


if __name__ == "__main__":
    given = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=list[IntegrationId])
    asyncio.run(main(given, Path(sys.argv[2])))
