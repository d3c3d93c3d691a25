import asyncio
from datetime import timedelta

import pytest

from application.availability.refresh_cache import FETCH_LEASE
from application.availability.refresh_due import CLAIMED_AHEAD
from application.availability.refresh_scope import AllEntries
from application.availability.retry_times import RETRY_AFTER
from application.jobs.job_result import JobResult
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind, Scope
from domain.availability import SLOT_WINDOW, Window
from domain.errors import CalendlyUnavailable, StorageUnavailable
from domain.sync_plan import RECENT_READ
from domain.windows import far_windows
from tests.application.support.building import Product
from tests.application.support.host_setup import (
    A_DAY,
    A_MOMENT,
    Host,
    cached,
    host,
    invalidate_cache,
    mark_read,
)
from tests.application.support.process import CACHE, CONCURRENCY, Process
from tests.fakes.clock import NOON
from tests.fakes.sync_queue import due_at

TYPES = CacheKey(CacheKind.EVENT_TYPES)
RUN = timedelta(minutes=15)


async def store(product: Product, ada: Host, entry: CacheEntry) -> None:
    """Store a entry that no fetch brought."""
    async with product.storage() as uow:
        await uow.availability.put(ada.integration.user_id, ada.integration.id, [entry])
        await uow.commit()


async def run(process: Process, limit: int = 10) -> JobResult:
    """Run a page of the schedule."""
    return await process.sync_due(limit, lambda _: None)


async def test_what_was_never_filled_is_due(product: Product, process: Process) -> None:
    """A newly connected integration is synced by the next run, and then not until it is stale."""
    await host(product, "ada")
    await host(product, "bob")

    first, second = [await run(process) for _ in range(2)]

    assert first == JobResult(examined=2, done={"synced": 2})
    assert second == JobResult()


async def test_what_is_read_is_kept_fresh(product: Product, process: Process) -> None:
    """A entry that was read since it was fetched is fetched again once it is stale."""
    ada = await host(product)
    await run(process)
    product.clock.advance(CACHE.lists_soft_ttl + A_MOMENT)
    await mark_read(product, ada, TYPES)
    product.calendly.calls.clear()

    job_result = await run(process)

    assert job_result.done == {"synced": 1}
    # In half a day the token died, too.
    assert product.calendly.calls == {"event_types": 1, "refresh": 1}


@pytest.mark.parametrize("delay", [timedelta(), timedelta(seconds=30)])
async def test_a_reading_causes_one_fetch(
    product: Product, process: Process, delay: timedelta
) -> None:
    """The read that caused a background refresh causes no other one, even if stored late."""
    ada = await host(product)
    await run(process)
    await invalidate_cache(product, ada, scope=Scope.EVENT_TYPES)
    product.calendly.calls.clear()

    await process.event_types(ada.integration.user_id)
    await product.background.settle()
    product.clock.advance(delay)
    await process.usage.write()
    await invalidate_cache(product, ada, scope=Scope.EVENT_TYPES)
    unread = await run(process)
    await process.event_types(ada.integration.user_id)
    await product.background.settle()

    assert unread.done == {"up_to_date": 1}
    assert product.calendly.calls["event_types"] == 2


async def test_what_is_read_seldom_waits_for_its_reader(
    product: Product, process: Process
) -> None:
    """An entry that was read since its fetch, but not recently, waits for its next read."""
    ada = await host(product)
    await run(process)
    product.clock.advance(A_MOMENT)
    await mark_read(product, ada, TYPES)
    product.clock.advance(RECENT_READ)
    await invalidate_cache(product, ada, scope=Scope.EVENT_TYPES)
    product.calendly.calls.clear()

    job_result = await run(process)

    assert job_result.done == {"up_to_date": 1}
    assert product.calendly.calls.total() == 0


async def test_unread_entries_cost_no_call(product: Product, process: Process) -> None:
    """A user without reads is processed, and Calendly is not called."""
    ada = await host(product)
    await run(process)
    product.calendly.calls.clear()
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)

    job_result = await run(process)

    assert job_result == JobResult(examined=1, done={"up_to_date": 1})
    assert product.calendly.calls.total() == 0


async def test_a_user_is_kept_from_expiring_for_a_while(
    product: Product, process: Process
) -> None:
    """A user who connected or read recently finds the cache filled, without any read since."""
    ada = await host(product)
    expired: list[int] = []
    calls: list[int] = []
    for day in range(int(2 * CACHE.keep_warm / A_DAY)):
        product.calendly.calls.clear()
        for _ in range(int(A_DAY / RUN)):
            product.clock.advance(RUN)
            await run(process)
            entry = await cached(product, ada, TYPES)
            assert entry is not None
            if product.clock.now() - entry.fetched_at > CACHE.ttl:
                expired.append(day)
        calls.append(product.calendly.calls["event_types"])

    assert min(expired) >= CACHE.keep_warm / A_DAY
    # The last day's refill falls a little before the end of some days and after that of others.
    assert max(calls) <= 2
    assert sum(calls) <= 1.15 * (CACHE.keep_warm / A_DAY + 1)
    assert calls[-1] == 0


async def test_unread_entries_may_expire_except_the_offer(
    product: Product, process: Process
) -> None:
    """Busy times and schedules are fetched for a new user once, and again after a read."""
    ada = await host(product)
    for _ in range(int(2 * A_DAY / RUN)):
        await run(process)
        product.clock.advance(RUN)
    unread = product.calendly.calls.copy()
    await process.schedules(ada.integration.user_id)
    product.clock.advance(A_MOMENT)
    await process.schedules(ada.integration.user_id)
    await process.usage.write()
    for _ in range(int(2 * A_DAY / RUN)):
        await run(process)
        product.clock.advance(RUN)

    assert (unread["busy_times"], unread["schedules"]) == (1, 1)
    assert unread["available_times"] >= 2
    assert product.calendly.calls["busy_times"] == 1
    assert product.calendly.calls["schedules"] >= 3


async def test_a_cancelled_page_keeps_no_lease(product: Product, process: Process) -> None:
    """Every claim is released when the page is cancelled, begun or not."""
    hosts = [await host(product, f"user-{number}") for number in range(CONCURRENCY + 3)]
    hold = product.calendly.hold_next("event_types")
    page = asyncio.create_task(run(process))
    await hold.reached.wait()

    page.cancel()
    await asyncio.gather(page, return_exceptions=True)

    rows = [product.storage.state.integrations[each.integration.id] for each in hosts]
    assert page.cancelled()
    assert {row.sync_owner for row in rows} == {None}
    hold.release()
    assert (await run(Process(product, "worker-2"), limit=100)).failed == {}


async def test_what_was_read_last_comes_first(product: Product, process: Process) -> None:
    """When not all can be synced, those whose availability was read most recently are."""
    hosts = [await host(product, name) for name in ("ada", "bob", "cid")]
    await run(process)
    for each in (hosts[1], hosts[2]):
        product.clock.advance(A_MOMENT)
        await mark_read(product, each, TYPES)
    for each in hosts:
        await invalidate_cache(product, each, scope=Scope.EVERYTHING)
    product.calendly.calls.clear()

    await run(process, limit=1)

    entries = [await cached(product, each, TYPES) for each in hosts]
    assert [each is not None and each.fetched_at > NOON for each in entries] == [
        False,
        False,
        True,
    ]


async def test_far_slots_are_kept_while_they_are_read(product: Product, process: Process) -> None:
    """A far window that was read is fetched again; one that was not is dropped once expired."""
    ada = await host(product)
    user_id, uri = ada.integration.user_id, ada.event_type.uri
    await run(process)
    await process.availability(user_id, uri, NOON + 70 * A_DAY, NOON + 71 * A_DAY)
    await process.availability(user_id, uri, NOON + 110 * A_DAY, NOON + 111 * A_DAY)
    far = sorted(at for _, *at in product.storage.state.entries if "#" in at[1])
    await mark_read(product, ada, CacheKey(CacheKind.SLOTS, far[0][1]))
    await mark_read(product, ada, TYPES)
    for _ in range(26):
        product.clock.advance(timedelta(hours=1))
        await run(process)
        await mark_read(product, ada, CacheKey(CacheKind.SLOTS, far[0][1]))

    left = sorted(at for _, *at in product.storage.state.entries if "#" in at[1])

    assert len(far) == 2
    assert left == far[:1]


async def test_a_far_window_that_is_over_is_dropped(product: Product, process: Process) -> None:
    """A window in the past is not fetched, for any number of reads."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    span = Window(NOON + 65 * A_DAY, NOON + 66 * A_DAY)
    await process.availability(ada.integration.user_id, ada.event_type.uri, span.start, span.end)
    (cell,) = far_windows(ada.event_type.uri, span, SLOT_WINDOW)
    product.clock.set(cell.window.end)
    await mark_read(product, ada, TYPES, CacheKey(CacheKind.SLOTS, cell.key))
    product.calendly.calls.clear()

    job_result = await run(process)

    assert job_result.failed == {}
    assert product.calendly.calls["available_times"] == 0
    assert await cached(product, ada, CacheKey(CacheKind.SLOTS, cell.key)) is None


async def test_one_failure_does_not_stop_the_others(product: Product, process: Process) -> None:
    """Each integration of a page is synced, even if others fail."""
    for name in ("ada", "bob", "cid"):
        await host(product, name)
    product.calendly.fail_next("event_types", CalendlyUnavailable("down"), times=3)

    job_result = await run(process)

    assert job_result.examined == 3
    assert sum(job_result.done.values()) + sum(job_result.failed.values()) == 3
    assert job_result.done["synced"] >= 2


async def test_one_bug_does_not_stop_the_others(product: Product, process: Process) -> None:
    """A user whose rows meet a bug is counted, reported and retried later."""
    ada, bob = await host(product, "ada"), await host(product, "bob")
    await store(product, ada, CacheEntry(CacheKind.SLOTS, "no#cell", b"[]", NOON))

    job_result = await run(process)
    again = await run(process)

    assert job_result == JobResult(examined=2, done={"synced": 1}, failed={"unexpected": 1})
    assert product.telemetry.seen["job_row_failed", "ValueError"] == 1
    assert again == JobResult()
    assert product.storage.state.integrations[ada.integration.id].sync_owner is None
    assert await cached(product, bob, TYPES) is not None


async def test_an_unreadable_list_is_fetched_again(product: Product, process: Process) -> None:
    """Event types that another version stored, or that are corrupt, are treated as missing."""
    ada = await host(product)
    await store(product, ada, CacheEntry(CacheKind.EVENT_TYPES, "", b"corrupt", NOON))

    job_result = await run(process)

    assert job_result.done == {"synced": 1}
    view = await process.event_types(ada.integration.user_id)
    assert view.items == (ada.event_type,)


async def test_a_full_page_promises_more(product: Product, process: Process) -> None:
    """Pages follow each other until one is not full; none is synced twice."""
    for name in ("ada", "bob", "cid"):
        await host(product, name)

    pages = [await run(process, limit=2) for _ in range(2)]

    assert [(page.examined, page.more) for page in pages] == [(2, True), (1, False)]
    assert product.calendly.calls["event_types"] == 3


@pytest.mark.parametrize("workers", [3])
async def test_several_workers_share_the_work(product: Product, workers: int) -> None:
    """No user is fetched twice, for any number of concurrent workers."""
    for number in range(12):
        await host(product, f"user-{number}")
    processes = [Process(product, f"worker-{number}") for number in range(workers)]

    pages = [await run(each, limit=5) for each in processes]

    assert [page.examined for page in pages] == [5, 5, 2]
    assert product.calendly.calls["event_types"] == 12


async def test_a_lease_begins_with_its_refresh(product: Product, process: Process) -> None:
    """A user who waited for nearly the whole claim is fetched under a lease of full length."""
    hosts = [await host(product, f"user-{number}") for number in range(CONCURRENCY + 1)]
    *first, last = [product.calendly.hold_next("event_types") for _ in hosts]
    page = asyncio.create_task(run(process))
    for each in first:
        await each.reached.wait()
    product.clock.advance(FETCH_LEASE - A_MOMENT)
    for each in first:
        each.release()
    await last.reached.wait()

    row = product.storage.state.integrations[hosts[-1].integration.id]
    last.release()

    assert row.sync_until == NOON + 2 * FETCH_LEASE - A_MOMENT
    assert (await page).done == {"synced": CONCURRENCY + 1}


async def test_a_lease_that_was_lost_in_the_queue_is_not_used(
    product: Product, process: Process
) -> None:
    """A user that another owner took while the page was slow is not fetched a second time."""
    hosts = [await host(product, f"user-{number}") for number in range(CONCURRENCY + 1)]
    holds = [product.calendly.hold_next("event_types") for _ in range(CONCURRENCY)]
    page = asyncio.create_task(run(process))
    for each in holds:
        await each.reached.wait()
    product.clock.advance(FETCH_LEASE)
    last = hosts[-1].integration.id

    # By the same process even: no two turns share a name.
    hold = product.calendly.hold_next("event_types")
    other = asyncio.create_task(process.sync.refresh(last, AllEntries()))
    await hold.reached.wait()
    for each in holds:
        each.release()
    job_result = await page
    hold.release()

    assert job_result.done == {"synced": CONCURRENCY, "held": 1}
    assert await other == "synced"
    assert product.calendly.calls["event_types"] == CONCURRENCY + 1


async def test_no_more_are_claimed_than_can_be_begun_soon(
    product: Product, process: Process
) -> None:
    """A page claims a few users at a time, so that a slow one delays no other user."""
    hosts = [await host(product, f"user-{number}") for number in range(3 * CONCURRENCY)]
    hold = product.calendly.hold_next("event_types")
    page = asyncio.create_task(run(process, limit=100))
    await hold.reached.wait()

    rows = [product.storage.state.integrations[each.integration.id] for each in hosts]
    hold.release()

    assert sum(row.sync_owner is not None for row in rows) == CLAIMED_AHEAD * CONCURRENCY
    assert (await page).examined == len(hosts)


async def test_an_outage_ends_the_page(product: Product, process: Process) -> None:
    """While the breaker is open no user is claimed; then one probes before the others follow."""
    for number in range(3 * CONCURRENCY):
        await host(product, f"user-{number}")
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))
    opening = await run(process, limit=100)
    commits = product.storage.commits

    held = await run(process, limit=100)

    assert opening.examined <= CLAIMED_AHEAD * CONCURRENCY
    assert not opening.more
    assert held == JobResult()
    assert product.storage.commits == commits
    product.clock.advance(timedelta(minutes=2))
    assert (await run(process, limit=100)).examined == 1
    product.calendly.heal()
    product.clock.advance(timedelta(minutes=10))
    assert (await run(process, limit=100)).done == {"synced": 3 * CONCURRENCY}


async def test_an_unavailable_store_leaves_no_lease(product: Product, process: Process) -> None:
    """A user whose rows could not be read is released, and retried soon."""
    ada = await host(product)
    breaker_and_claim = (None,) * 3
    product.storage.fail_next(*breaker_and_claim, StorageUnavailable("away"))

    job_result = await run(process)

    row = product.storage.state.integrations[ada.integration.id]
    assert job_result.failed == {"storage_unavailable": 1}
    assert row.sync_owner is None
    assert due_at(row) == NOON + RETRY_AFTER
