"""A host to call behind the circuits, and what brings a circuit to open."""

import asyncio

import pytest

from application.ports.storage.breakers import Surface
from domain.errors import CalendlyUnavailable, SlotkeeperError
from tests.application.support.process import BREAKER, Process

# The random fraction is a half here, and adds a fifth at most.
OPEN_FOR = BREAKER.reset * 1.1


class Host:
    """Something to call: counts calls, and fails on request."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: SlotkeeperError | None = None

    async def answer(self) -> str:
        """Answer or fail."""
        self.calls += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return "answer"


async def fail_until_open(process: Process, host: Host) -> None:
    """Call a failing host until its breaker is open."""
    host.error = CalendlyUnavailable("down")
    for _ in range(BREAKER.threshold):
        with pytest.raises(CalendlyUnavailable):
            await process.circuit_breakers.call(Surface.API, host.answer)
