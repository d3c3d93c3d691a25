"""Several processes with one breaker in the real store; each has a memory of its own."""

import asyncio

import pytest

from adapters.persistence.storage import PiccoloStorage
from application.ports.storage.breakers import Surface
from application.resilience.circuit_breakers import CircuitBreakers
from domain.circuit_breaker import CLOSED, JITTER, BreakerPolicy, BreakerState
from domain.errors import CalendlyUnavailable, CircuitOpen
from tests.application.support.calling import Host
from tests.application.support.recording import RecordedTelemetry
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness

PROCESSES = 6
POLICY = BreakerPolicy(threshold=3)


class Installation:
    """Processes that share the store, the clock and what is counted."""

    def __init__(self, storage: PiccoloStorage, clock: FakeClock) -> None:
        self.telemetry = RecordedTelemetry()
        self.clock = clock
        self.processes = [
            CircuitBreakers(
                storage=storage,
                clock=clock,
                randomness=FakeRandomness(number / PROCESSES),
                telemetry=self.telemetry,
                policy=POLICY,
            )
            for number in range(PROCESSES)
        ]

    async def call(self, host: Host) -> list[str | BaseException]:
        """Call from every process concurrently."""
        return await asyncio.gather(
            *(process.call(Surface.API, host.answer) for process in self.processes),
            return_exceptions=True,
        )


@pytest.fixture
def installation(piccolo_storage: PiccoloStorage, clock: FakeClock) -> Installation:
    """Processes that were just started."""
    return Installation(piccolo_storage, clock)


async def test_failures_seen_by_several_processes_open_it_once(
    installation: Installation, clock: FakeClock
) -> None:
    """Failures of different processes add up; the breaker opens once, with one end for all."""
    host = Host()
    host.error = CalendlyUnavailable("down")

    await installation.call(host)

    breakers = [await each.current(Surface.API) for each in installation.processes]
    waits = {await each.wait(Surface.API) for each in installation.processes}
    assert {each.state for each in breakers} == {BreakerState.OPEN}
    assert breakers[0].failed_at == (clock.now(),) * POLICY.threshold
    assert installation.telemetry.seen["circuit_opened", Surface.API] == 1
    assert len(waits) == 1
    assert breakers[0].open_until is not None
    span = breakers[0].open_until - clock.now()
    assert waits == {span}
    assert POLICY.reset <= span <= POLICY.reset * (1 + JITTER)


async def test_one_process_wins_the_probe(installation: Installation, clock: FakeClock) -> None:
    """When the reset time is over one call of all processes goes out, and closes it for all."""
    host = Host()
    host.error = CalendlyUnavailable("down")
    await installation.call(host)
    clock.advance(POLICY.reset * (1 + JITTER))
    host.calls, host.error = 0, None
    still = asyncio.Event()

    async def slow() -> str:
        await still.wait()
        return await host.answer()

    calls = [
        asyncio.create_task(process.call(Surface.API, slow)) for process in installation.processes
    ]
    refused, out = await _all_but_one(calls)
    still.set()
    answer = await out

    assert all(isinstance(each.exception(), CircuitOpen) for each in refused)
    assert (answer, host.calls) == ("answer", 1)
    assert await installation.processes[0].current(Surface.API) == CLOSED
    assert installation.telemetry.seen["circuit_closed", Surface.API] == 1


async def _all_but_one(
    calls: list[asyncio.Task[str]],
) -> tuple[list[asyncio.Task[str]], asyncio.Task[str]]:
    """Wait until one call is left; return the ended ones and that one."""
    left = set(calls)
    async with asyncio.timeout(10):
        while len(left) > 1:
            _, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
    return [each for each in calls if each not in left], left.pop()
