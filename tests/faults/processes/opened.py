"""The service's own composition root, on a clock that may run ahead."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from adapters.bootstrap import open_resources
from adapters.settings import load_settings
from adapters.system.clock import SystemClock
from adapters.wiring.resources import Resources

CLOCK_AHEAD = "FAULTS_CLOCK_AHEAD"


class AheadClock:
    """The machine's time and so much more."""

    def __init__(self, ahead: timedelta) -> None:
        self._real = SystemClock()
        self._ahead = ahead

    def now(self) -> datetime:
        """Return a time to come, aware, in UTC."""
        return self._real.now() + self._ahead


@asynccontextmanager
async def opened() -> AsyncIterator[Resources]:
    """Open what the environment says; FAULTS_CLOCK_AHEAD is in seconds."""
    ahead = timedelta(seconds=float(os.environ.get(CLOCK_AHEAD, "0")))
    async with open_resources(load_settings(os.environ), clock=AheadClock(ahead)) as made:
        yield made
