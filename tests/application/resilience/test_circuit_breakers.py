import asyncio
from datetime import timedelta

import pytest

from application.ports.storage.breakers import Surface
from application.resilience.circuit_breakers import BELIEVED_FOR
from domain.circuit_breaker import CLOSED, BreakerState
from domain.errors import (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyThrottled,
    CalendlyUnavailable,
    CircuitOpen,
    SlotkeeperError,
    StorageUnavailable,
)
from tests.application.support.building import Product
from tests.application.support.calling import OPEN_FOR, Host, fail_until_open
from tests.application.support.process import BREAKER, Process

A_MOMENT = timedelta(microseconds=1)


@pytest.fixture
def host() -> Host:
    """A healthy host."""
    return Host()


async def test_a_healthy_host_costs_no_look_at_the_store(
    process: Process, product: Product, host: Host
) -> None:
    """Successful calls write nothing, and read the breaker only every few seconds."""
    await process.circuit_breakers.call(Surface.API, host.answer)
    product.storage.fail_next()

    answer = await process.circuit_breakers.call(Surface.API, host.answer)

    assert answer == "answer"
    assert product.storage.commits == 0


async def test_a_failing_host_is_left_alone(process: Process, host: Host) -> None:
    """After enough failures in a row nothing is sent, and callers learn when to retry."""
    await fail_until_open(process, host)

    with pytest.raises(CircuitOpen) as refusal:
        await process.circuit_breakers.call(Surface.API, host.answer)

    assert host.calls == BREAKER.threshold
    assert refusal.value.retry_after == OPEN_FOR.total_seconds()
    assert (await process.circuit_breakers.current(Surface.API)).state is BreakerState.OPEN


async def test_a_refusal_costs_no_look_at_the_store(
    process: Process, product: Product, host: Host
) -> None:
    """While a breaker is known to be open, refusals come from memory, for seconds only."""
    await fail_until_open(process, host)
    product.storage.away = True

    with pytest.raises(CircuitOpen):
        await process.circuit_breakers.call(Surface.API, host.answer)
    product.clock.advance(BELIEVED_FOR + A_MOMENT)
    with pytest.raises(StorageUnavailable):
        await process.circuit_breakers.call(Surface.API, host.answer)

    assert host.calls == BREAKER.threshold


async def test_failures_that_are_far_apart_open_nothing(
    process: Process, product: Product, host: Host
) -> None:
    """A host that fails now and then is not held back: only the window counts."""
    host.error = CalendlyUnavailable("down")
    for _ in range(2 * BREAKER.threshold):
        with pytest.raises(CalendlyUnavailable):
            await process.circuit_breakers.call(Surface.API, host.answer)
        product.clock.advance(BREAKER.window / 2)

    assert (await process.circuit_breakers.current(Surface.API)).state is BreakerState.CLOSED


async def test_all_processes_share_a_breaker(
    process: Process, product: Product, host: Host
) -> None:
    """A breaker that one process opened is open for the others within seconds."""
    other = Process(product, "process-2")
    host.error = None
    await other.circuit_breakers.call(Surface.API, host.answer)
    await fail_until_open(process, host)
    product.clock.advance(BELIEVED_FOR + A_MOMENT)

    with pytest.raises(CircuitOpen):
        await other.circuit_breakers.call(Surface.API, host.answer)

    assert host.calls == BREAKER.threshold + 1


async def test_surfaces_fail_on_their_own(process: Process, host: Host) -> None:
    """An outage of the API does not hold back the OAuth host."""
    await fail_until_open(process, host)
    host.error = None

    answer = await process.circuit_breakers.call(Surface.OAUTH, host.answer)

    assert answer == "answer"


async def test_one_probe_goes_out(process: Process, product: Product, host: Host) -> None:
    """After the reset time exactly one call goes out while the others are refused."""
    await fail_until_open(process, host)
    product.clock.advance(OPEN_FOR)
    host.error, host.calls = None, 0

    results = await asyncio.gather(
        *(process.circuit_breakers.call(Surface.API, host.answer) for _ in range(10)),
        return_exceptions=True,
    )

    assert host.calls == 1
    assert results.count("answer") == 1
    assert sum(isinstance(each, CircuitOpen) for each in results) == 9
    assert await process.circuit_breakers.current(Surface.API) == CLOSED


async def test_a_failed_probe_opens_it_for_longer(
    process: Process, product: Product, host: Host
) -> None:
    """A host that still fails after the reset time is left alone twice as long."""
    await fail_until_open(process, host)
    product.clock.advance(OPEN_FOR)
    with pytest.raises(CalendlyUnavailable):
        await process.circuit_breakers.call(Surface.API, host.answer)

    with pytest.raises(CircuitOpen) as refusal:
        await process.circuit_breakers.call(Surface.API, host.answer)

    assert refusal.value.retry_after == 2 * OPEN_FOR.total_seconds()


async def test_a_success_forgets_earlier_failures(process: Process, host: Host) -> None:
    """Only failures in a row count."""
    host.error = CalendlyUnavailable("down")
    for _ in range(BREAKER.threshold - 1):
        with pytest.raises(CalendlyUnavailable):
            await process.circuit_breakers.call(Surface.API, host.answer)
    host.error = None

    await process.circuit_breakers.call(Surface.API, host.answer)

    assert await process.circuit_breakers.current(Surface.API) == CLOSED


@pytest.mark.parametrize("error", [CalendlyForbidden("no"), CalendlyThrottled("slow down")])
async def test_a_refusal_is_an_answer(
    process: Process, host: Host, error: SlotkeeperError
) -> None:
    """Any number of refused requests says nothing against Calendly's health."""
    host.error = error
    for _ in range(2 * BREAKER.threshold):
        with pytest.raises(type(error)):
            await process.circuit_breakers.call(Surface.API, host.answer)

    assert await process.circuit_breakers.current(Surface.API) == CLOSED


@pytest.mark.parametrize("error", [CalendlyNotFound("bad address"), CalendlyThrottled("budget")])
async def test_a_probe_that_proves_nothing_gives_its_turn_back(
    process: Process, product: Product, host: Host, error: SlotkeeperError
) -> None:
    """A call that may never have been sent neither closes a breaker nor delays the next probe."""
    await fail_until_open(process, host)
    product.clock.advance(OPEN_FOR)
    host.error = error
    with pytest.raises(type(error)):
        await process.circuit_breakers.call(Surface.API, host.answer)
    between = await process.circuit_breakers.current(Surface.API)
    host.error = None

    answer = await process.circuit_breakers.call(Surface.API, host.answer)

    assert between.state is BreakerState.HALF_OPEN
    assert answer == "answer"
    assert await process.circuit_breakers.current(Surface.API) == CLOSED


async def test_what_proves_nothing_keeps_the_count(process: Process, host: Host) -> None:
    """An error that arose before anything was sent does not make earlier failures forgotten."""
    host.error = CalendlyUnavailable("down")
    with pytest.raises(CalendlyUnavailable):
        await process.circuit_breakers.call(Surface.API, host.answer)
    host.error = CalendlyThrottled("budget")

    with pytest.raises(CalendlyThrottled):
        await process.circuit_breakers.call(Surface.API, host.answer)

    assert (await process.circuit_breakers.current(Surface.API)).failures == 1


async def test_a_success_from_before_the_opening_closes_nothing(
    process: Process, host: Host
) -> None:
    """A call that left while all was well does not close a breaker that opened since."""
    answered = asyncio.Event()

    async def slow() -> str:
        await answered.wait()
        return "answer"

    late = asyncio.create_task(process.circuit_breakers.call(Surface.API, slow))
    await asyncio.sleep(0)
    await fail_until_open(process, host)
    answered.set()

    assert await late == "answer"
    assert (await process.circuit_breakers.current(Surface.API)).state is BreakerState.OPEN


@pytest.mark.parametrize("name", ["process-1", "process-2"])
async def test_a_failure_from_before_the_opening_costs_no_probe(
    process: Process, product: Product, host: Host, name: str
) -> None:
    """A call of any process that left while all was well leaves the probe its turn."""
    caller = process if name == process.name else Process(product, name)
    failing = asyncio.Event()

    async def slow() -> str:
        await failing.wait()
        raise CalendlyUnavailable("late")

    late = asyncio.create_task(caller.circuit_breakers.call(Surface.API, slow))
    await asyncio.sleep(0)
    await fail_until_open(process, host)
    product.clock.advance(OPEN_FOR)
    host.error = None

    async def while_the_probe_is_out() -> str:
        failing.set()
        with pytest.raises(CalendlyUnavailable):
            await late
        return "answer"

    await process.circuit_breakers.call(Surface.API, while_the_probe_is_out)

    assert await process.circuit_breakers.current(Surface.API) == CLOSED


async def test_an_error_is_not_masked_by_the_store(
    process: Process, product: Product, host: Host
) -> None:
    """When the store is down while a failure is recorded, the call's own error is raised."""
    await process.circuit_breakers.call(Surface.API, host.answer)
    host.error = CalendlyUnavailable("down")
    product.storage.fail_next()

    with pytest.raises(CalendlyUnavailable):
        await process.circuit_breakers.call(Surface.API, host.answer)


async def test_a_result_is_not_masked_by_the_store(
    process: Process, product: Product, host: Host
) -> None:
    """When the store is down while a success is recorded, the result is returned."""
    host.error = CalendlyUnavailable("down")
    with pytest.raises(CalendlyUnavailable):
        await process.circuit_breakers.call(Surface.API, host.answer)
    host.error = None
    product.storage.fail_next(None, StorageUnavailable("away"))

    answer = await process.circuit_breakers.call(Surface.API, host.answer)

    assert answer == "answer"


async def test_without_the_store_nothing_is_sent_blindly(
    process: Process, product: Product, host: Host
) -> None:
    """A breaker that cannot be read is not taken for closed."""
    product.storage.fail_next()

    with pytest.raises(StorageUnavailable):
        await process.circuit_breakers.call(Surface.API, host.answer)

    assert host.calls == 0
