from datetime import timedelta

import pytest

from application.ports.storage.breakers import Surface
from application.resilience.circuit_breakers import BELIEVED_FOR
from domain.circuit_breaker import PROBE_TIMEOUT, BreakerState
from domain.errors import CalendlyUnavailable, StorageUnavailable
from tests.application.support.building import Product
from tests.application.support.calling import OPEN_FOR, Host, fail_until_open
from tests.application.support.process import BREAKER, Process
from tests.fakes.clock import NOON

A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def host() -> Host:
    """A healthy host."""
    return Host()


async def test_a_healthy_surface_asks_for_no_wait(process: Process) -> None:
    """Jobs may go on while a surface is well."""
    assert await process.circuit_breakers.wait(Surface.OAUTH) is None


async def test_an_open_surface_says_how_long(
    process: Process, product: Product, host: Host
) -> None:
    """A job learns how long to rest, and that a probe may go out when that time is over."""
    await fail_until_open(process, host)
    product.clock.advance(timedelta(seconds=20))
    left = await process.circuit_breakers.wait(Surface.API)
    product.clock.advance(OPEN_FOR - timedelta(seconds=20))

    assert left == OPEN_FOR - timedelta(seconds=20)
    assert await process.circuit_breakers.wait(Surface.API) is None
    assert await process.circuit_breakers.wait(Surface.OAUTH) is None


async def test_all_processes_say_the_same(process: Process, product: Product, host: Host) -> None:
    """The end of an opening is settled once: every process waits until the same moment."""
    await fail_until_open(process, host)
    product.randomness.chances = [0.9] * 9

    other = await Process(product, "process-2").circuit_breakers.wait(Surface.API)

    assert other == await process.circuit_breakers.wait(Surface.API) == OPEN_FOR


async def test_asking_takes_no_turn(process: Process, product: Product, host: Host) -> None:
    """A caller that only reads the state leaves the probe to callers that call."""
    await fail_until_open(process, host)
    product.clock.advance(OPEN_FOR)
    host.error = None
    for _ in range(3):
        assert await process.circuit_breakers.wait(Surface.API) is None

    answer = await process.circuit_breakers.call(Surface.API, host.answer)

    assert answer == "answer"


async def test_who_asks_during_a_probe_waits_for_its_turn_at_the_most(
    process: Process, product: Product, host: Host
) -> None:
    """While a probe is out the others wait, and learn of its end immediately."""
    await fail_until_open(process, host)
    product.clock.advance(OPEN_FOR)
    other = Process(product, "process-2").circuit_breakers
    left: list[timedelta | None] = []

    async def probe() -> None:
        left.append(await other.wait(Surface.API))

    await process.circuit_breakers.call(Surface.API, probe)

    assert left == [PROBE_TIMEOUT]
    assert await other.wait(Surface.API) is None


async def test_asking_often_is_cheap(process: Process, product: Product, host: Host) -> None:
    """Within seconds the answer comes from memory, in either state."""
    await process.circuit_breakers.wait(Surface.OAUTH)
    await fail_until_open(process, host)
    product.storage.away = True

    assert await process.circuit_breakers.wait(Surface.OAUTH) is None
    assert await process.circuit_breakers.wait(Surface.API) == OPEN_FOR
    product.clock.advance(BELIEVED_FOR + A_MOMENT)
    with pytest.raises(StorageUnavailable):
        await process.circuit_breakers.wait(Surface.API)


async def test_every_surface_is_shown(process: Process, product: Product, host: Host) -> None:
    """Each surface shows its state, its failures, since when, and when the probe goes out."""
    await fail_until_open(process, host)
    shown = await process.circuit_breakers.states()
    product.clock.advance(OPEN_FOR)
    later = await process.circuit_breakers.states()

    api = shown[Surface.API]
    assert list(shown) == list(Surface)
    assert shown[Surface.OAUTH].state is BreakerState.CLOSED
    assert (api.state, api.failures) == (BreakerState.OPEN, BREAKER.threshold)
    assert (api.opened_at, api.retry_at) == (NOON, NOON + OPEN_FOR)
    assert (later[Surface.API].state, later[Surface.API].retry_at) == (
        BreakerState.HALF_OPEN,
        None,
    )


async def test_opening_and_closing_are_reported_once(
    process: Process, product: Product, host: Host
) -> None:
    """The process that opens or closes a breaker reports it; the others only read it."""
    other = Process(product, "process-2")
    await fail_until_open(process, host)
    with pytest.raises(Exception, match="held back"):
        await other.circuit_breakers.call(Surface.API, host.answer)
    assert product.telemetry.circuit_breakers == {Surface.API: "open"}
    product.clock.advance(OPEN_FOR)
    host.error = None

    await other.circuit_breakers.call(Surface.API, host.answer)

    assert product.telemetry.seen["circuit_opened", Surface.API] == 1
    assert product.telemetry.seen["circuit_closed", Surface.API] == 1
    assert product.telemetry.circuit_breakers == {Surface.API: "closed"}


async def test_a_failed_probe_is_another_opening(
    process: Process, product: Product, host: Host
) -> None:
    """Each opening is reported, and a success without an opening is not a closing."""
    await process.circuit_breakers.call(Surface.OAUTH, host.answer)
    await fail_until_open(process, host)
    product.clock.advance(OPEN_FOR)
    with pytest.raises(CalendlyUnavailable):
        await process.circuit_breakers.call(Surface.API, host.answer)

    assert product.telemetry.seen["circuit_opened", Surface.API] == 2
    assert product.telemetry.seen["circuit_closed", Surface.API] == 0
    assert product.telemetry.seen["circuit_closed", Surface.OAUTH] == 0
