import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from application.availability.read_lists import SingleEntryQuery
from application.availability.single_flight import BACKGROUND_POLL
from application.ports.storage.availability_cache import CacheKey, CacheKind, Scope
from application.resilience.priority import in_background
from domain.cache_policy import Freshness
from domain.errors import (
    AvailabilityPending,
    CalendlyError,
    CalendlyForbidden,
    CalendlyThrottled,
    CalendlyUnavailable,
)
from tests.application.support.building import Product
from tests.application.support.host_setup import (
    A_DAY,
    A_MOMENT,
    TOMORROW,
    Host,
    host,
    invalidate_cache,
)
from tests.application.support.process import CACHE, Process
from tests.application.support.refusing import RefusingBackground
from tests.application.support.slow_store import SlowCalendly, slow_product
from tests.application.support.statement_counter import CountedStorage

EVENT_TYPES = CacheKey(CacheKind.EVENT_TYPES)
THINGS = ("event_types", "available_times", "busy_times", "schedules")


Query = Callable[[], Awaitable[object]]


def queries(process: Process, ada: Host) -> list[Query]:
    """Return one query of each kind."""
    user_id, end = ada.integration.user_id, TOMORROW + A_DAY
    return [
        partial(process.availability, user_id, ada.event_type.uri, TOMORROW, end),
        partial(process.event_types, user_id),
        partial(process.busy_times, user_id, TOMORROW, end),
        partial(process.schedules, user_id),
    ]


async def ask_after(seconds: float, query: Query) -> object:
    """Ask a query a while from now."""
    await asyncio.sleep(seconds)
    return await query()


@pytest.mark.parametrize("seed", range(25))
async def test_many_readers_of_a_cold_user_fetch_each_thing_once(seed: int) -> None:
    """For any number of callers, processes and cancellations, each entry is fetched once."""
    product, chance = slow_product(seed), Random(seed)  # noqa: S311 - no secret
    ada = await host(product)
    processes = [Process(product, f"process-{number}") for number in range(4)]

    readers = [
        asyncio.create_task(ask_after(chance.uniform(0, 1), query))
        for process in processes
        for _ in range(8)
        for query in queries(process, ada)
    ]
    leaving = chance.sample(readers, 40)
    for reader in leaving:
        asyncio.get_running_loop().call_later(chance.uniform(0, 2), reader.cancel)
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    await product.background.settle()

    failures = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, asyncio.CancelledError) for each in failures)
    assert len(failures) <= len(leaving)
    assert product.calendly.calls == dict.fromkeys(THINGS, 1)


@pytest.mark.parametrize("seed", range(25))
async def test_many_readers_of_a_stale_user_renew_each_thing_once(seed: int) -> None:
    """Stale parts are renewed once behind all the answers, by one process of several."""
    product, chance = slow_product(seed), Random(seed)  # noqa: S311 - no secret
    ada = await host(product)
    processes = [Process(product, f"process-{number}") for number in range(4)]
    await asyncio.gather(*(query() for query in queries(processes[0], ada)))
    product.clock.advance(CACHE.lists_soft_ttl + A_MOMENT)
    product.calendly.calls.clear()

    await asyncio.gather(
        *(
            ask_after(chance.uniform(0, 0.5), query)
            for process in processes
            for _ in range(8)
            for query in queries(process, ada)
        )
    )
    await product.background.settle()

    # In half a day the token died, too.
    assert product.calendly.calls == dict.fromkeys((*THINGS, "refresh"), 1)


async def test_five_hundred_waiting_readers_cost_a_few_lookups(
    product: Product,
) -> None:
    """Many waiting callers do not poll: one task of the process does it for all."""
    ada = await host(product)
    store = product.storage = CountedStorage(product.storage)
    process = Process(product, "process-1")
    other = Process(product, "process-2")
    hold = product.calendly.hold_next("event_types")
    fetch = asyncio.create_task(other.event_types(ada.integration.user_id))
    await hold.reached.wait()
    readers = [
        asyncio.create_task(process.event_types(ada.integration.user_id)) for _ in range(500)
    ]
    await asyncio.sleep(0.1)
    before = store.openings
    await asyncio.sleep(2)
    polls = store.openings - before
    hold.release()
    found = await asyncio.gather(fetch, *readers)

    assert len(found) == 501
    assert polls <= 10
    assert product.calendly.calls["event_types"] == 1


async def test_a_late_caller_joins_the_running_fetch(product: Product, process: Process) -> None:
    """Callers that arrive during a fetch use its result, without another lookup."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    before = product.randomness.new_id().int >> 80
    first = asyncio.create_task(process.event_types(ada.integration.user_id))
    await hold.reached.wait()
    readers = [
        asyncio.create_task(process.event_types(ada.integration.user_id)) for _ in range(20)
    ]
    await asyncio.sleep(0.1)
    hold.release()

    await asyncio.gather(first, *readers)

    # Each attempt at the right to fetch is made under a name of its own.
    assert (product.randomness.new_id().int >> 80) - before == 2


@pytest.mark.parametrize("error", [CalendlyForbidden("no"), CalendlyUnavailable("down")])
async def test_a_failure_is_one_for_all(product: Product, error: CalendlyError) -> None:
    """An entry that failed for the first of several processes is not retried by the others."""
    ada = await host(product)
    processes = [Process(product, f"process-{number}") for number in range(4)]
    hold = product.calendly.hold_next("event_types")
    product.calendly.fail_always("event_types", error)
    readers = [
        asyncio.create_task(process.event_types(ada.integration.user_id))
        for process in processes
        for _ in range(5)
    ]
    await hold.reached.wait()
    await asyncio.sleep(0.5)
    hold.release()

    outcomes = await asyncio.gather(*readers, return_exceptions=True)

    assert {type(each) for each in outcomes} <= {CalendlyForbidden, AvailabilityPending}
    assert product.telemetry.seen["availability_fetched", CacheKind.EVENT_TYPES, error.code] == 1


async def test_a_cancelled_reader_does_not_end_the_fetch(
    product: Product, process: Process
) -> None:
    """When the reader who caused a fetch goes away, the others still get what it brings."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    first = asyncio.create_task(process.event_types(ada.integration.user_id))
    await hold.reached.wait()
    second = asyncio.create_task(process.event_types(ada.integration.user_id))
    await asyncio.sleep(0.1)

    first.cancel()
    await asyncio.sleep(0.1)
    hold.release()
    view = await second

    assert first.cancelled()
    assert view.age.freshness is Freshness.FRESH
    assert product.calendly.calls["event_types"] == 1


async def test_requests_are_collected_during_a_fetch(product: Product, process: Process) -> None:
    """Entries that other callers request during a refresh are fetched together, right after it."""
    ada = await host(product)
    for _ in range(4):
        product.calendly.add_event_type(ada.integration.account.user_uri)
    await process.event_types(ada.integration.user_id)
    hold = product.calendly.hold_next("schedules")
    first = asyncio.create_task(process.schedules(ada.integration.user_id))
    await hold.reached.wait()
    names = [each.uri for each in product.calendly.types[ada.integration.account.user_uri]]
    others = [
        asyncio.create_task(
            process.availability(ada.integration.user_id, name, TOMORROW, TOMORROW + A_DAY)
        )
        for name in names
    ]
    await asyncio.sleep(0.1)
    hold.release()

    await asyncio.gather(first, *others)

    assert product.calendly.calls["available_times"] == 5
    assert product.telemetry.seen["availability_sync", "synced"] == 3


async def test_what_a_reader_waits_for_goes_before_the_jobs() -> None:
    """A call that a caller waits for counts as the user's; a background call counts as a job's."""
    product = slow_product(0)
    calendly = product.calendly
    assert isinstance(calendly, SlowCalendly)
    process, ada = Process(product, "process-1"), await host(product)

    await process.event_types(ada.integration.user_id)
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    await process.event_types(ada.integration.user_id)
    await product.background.settle()
    product.clock.advance(CACHE.ttl)
    with in_background():
        await process.schedules(ada.integration.user_id)

    assert [each for each in calendly.for_jobs if each[0] != "refresh"] == [
        ("event_types", False),
        ("event_types", True),
        ("schedules", True),
    ]


async def test_a_job_that_found_no_budget_holds_up_no_reader(
    product: Product, process: Process
) -> None:
    """An entry that our rate limit refused to a job is fetched immediately for a waiting caller."""
    ada = await host(product)
    product.calendly.fail_next("event_types", CalendlyThrottled("ours", retry_after=40))
    with in_background(), pytest.raises(CalendlyThrottled):
        await process.sync(ada.integration.id)

    view = await process.event_types(ada.integration.user_id)

    assert view.age.freshness is Freshness.FRESH


async def test_calendlys_pause_holds_for_all_callers(product: Product, process: Process) -> None:
    """While Calendly itself pauses a user's calls, no waiting caller may try."""
    ada = await host(product)
    product.calendly.fail_next("event_types", CalendlyThrottled("429", retry_after=40))
    process.pauses.ask(ada.integration.account.user_uri, 40)
    with pytest.raises(CalendlyThrottled):
        await process.sync(ada.integration.id)

    with pytest.raises(AvailabilityPending):
        await process.event_types(ada.integration.user_id)

    assert (
        product.telemetry.seen["availability_fetched", CacheKind.EVENT_TYPES, "calendly_throttled"]
        == 1
    )


async def test_a_waiting_caller_is_served_after_a_refused_job(
    product: Product, process: Process
) -> None:
    """A caller that joins a background refresh, which is refused, gets a refresh of its own."""
    ada = await host(product)
    await process.event_types(ada.integration.user_id)
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    hold = product.calendly.hold_next("event_types")
    product.calendly.fail_next("event_types", CalendlyThrottled("ours", retry_after=40))
    await process.event_types(ada.integration.user_id)
    await hold.reached.wait()
    waiting = asyncio.create_task(
        process.event_types(ada.integration.user_id, max_age=timedelta())
    )
    await asyncio.sleep(0.1)
    hold.release()

    view = await waiting

    assert view.age.freshness is Freshness.FRESH


async def test_a_background_refresh_respects_a_held_lease(product: Product) -> None:
    """While another process renews what is stale, readers of it do not try for the right each."""
    ada = await host(product)
    store = product.storage = CountedStorage(product.storage)
    process = Process(product, "process-1")
    await process.event_types(ada.integration.user_id)
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    hold = product.calendly.hold_next("event_types")
    other = asyncio.create_task(Process(product, "process-2").sync(ada.integration.id))
    await hold.reached.wait()
    before = store.openings

    for _ in range(200):
        await process.event_types(ada.integration.user_id)
        await asyncio.sleep(BACKGROUND_POLL / 200)

    assert store.openings - before - 200 <= 3
    hold.release()
    await other
    await product.background.settle()
    assert product.calendly.calls["event_types"] == 2


async def test_a_bug_in_a_fetch_is_reported_and_backs_off(
    product: Product, process: Process
) -> None:
    """An entry that meets a bug is reported as pending, and backs off like any failure."""
    ada = await host(product)
    product.calendly.fail_always("event_types", KeyError("bug"))  # type: ignore[arg-type]

    for _ in range(3):
        with pytest.raises(AvailabilityPending):
            await process.cache.read(ada.integration.user_id, SingleEntryQuery(EVENT_TYPES))

    assert product.telemetry.seen["job_row_failed", "KeyError"] == 1
    assert product.calendly.calls["event_types"] == 1


async def test_a_renewal_that_was_refused_is_tried_by_the_next_reader(
    product: Product,
) -> None:
    """When no work is taken on behind answers, a later reader's renewal still is."""
    ada = await host(product)
    refusing = product.background = RefusingBackground()
    process = Process(product, "process-1")
    await process.event_types(ada.integration.user_id)
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    refusing.refuses = True
    await process.event_types(ada.integration.user_id)
    refusing.refuses = False

    await process.event_types(ada.integration.user_id)
    await refusing.settle()

    assert product.calendly.calls["event_types"] == 2
