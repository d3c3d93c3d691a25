import asyncio
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from application.availability.cache_entries import event_types, slots
from application.availability.refresh_cache import (
    FETCH_LEASE,
    HELD,
    INACTIVE,
    PARTLY,
    SYNCED,
    UP_TO_DATE,
)
from application.availability.retry_times import LONGEST, RETRY_AFTER
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind, Scope
from domain.cache_policy import SETTLING
from domain.errors import (
    CalendlyForbidden,
    CalendlyProtocolError,
    CalendlyThrottled,
    CalendlyUnavailable,
    IntegrationNotFound,
    ReauthRequired,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.ids import IntegrationId
from tests.application.support.building import Product
from tests.application.support.host_setup import A_MOMENT, Host, cached, host, invalidate_cache
from tests.application.support.process import CACHE, Process
from tests.fakes.clock import NOON
from tests.fakes.sync_queue import due_at

TYPES, BUSY, SCHEDULES = map(
    CacheKey, (CacheKind.EVENT_TYPES, CacheKind.BUSY, CacheKind.SCHEDULES)
)
HALF_A_DAY = timedelta(hours=12)


def slots_of(ada: Host) -> CacheKey:
    """Return the entry that holds the slots of a host's event type."""
    return CacheKey(CacheKind.SLOTS, ada.event_type.uri)


def due(product: Product, ada: Host) -> datetime:
    """Return when the schedule turns to a host again."""
    return due_at(product.storage.state.integrations[ada.integration.id])


async def known(product: Product, ada: Host, at: CacheKey) -> CacheEntry:
    """Return a entry that is cached."""
    entry = await cached(product, ada, at)
    assert entry is not None
    return entry


async def test_a_sync_fills_the_cache(product: Product, process: Process) -> None:
    """After a sync every entry is there, and the next one is due when it turns stale."""
    ada = await host(product)

    assert await process.sync(ada.integration.id) == SYNCED

    for at in (TYPES, BUSY, SCHEDULES, slots_of(ada)):
        assert (await known(product, ada, at)).fetched_at == NOON
    assert product.storage.state.integrations[ada.integration.id].value.last_synced_at == NOON
    assert 0.9 * CACHE.soft_ttl <= due(product, ada) - NOON <= CACHE.soft_ttl
    assert product.telemetry.seen["availability_sync", SYNCED] == 1


async def test_a_sync_of_fresh_entries_causes_no_call(product: Product, process: Process) -> None:
    """A second sync finds nothing to do, makes no call and gives the right back."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.calendly.calls.clear()

    assert await process.sync(ada.integration.id) == UP_TO_DATE
    assert await process.sync(ada.integration.id) == UP_TO_DATE
    assert product.calendly.calls.total() == 0
    assert product.telemetry.seen["availability_sync", SYNCED] == 1


async def test_only_one_fetches_at_a_time(product: Product, process: Process) -> None:
    """While one sync of a user runs, another finds the right held and fetches nothing."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    first = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()

    second = await process.sync(ada.integration.id)
    hold.release()

    assert (await first, second) == (SYNCED, HELD)
    assert product.calendly.calls["event_types"] == 1


async def test_a_failed_entry_keeps_its_content(product: Product, process: Process) -> None:
    """An entry that could not be fetched keeps its content, has an error code, and is retried."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(HALF_A_DAY)
    product.calendly.fail_always("available_times", CalendlyUnavailable("down"))

    assert await process.sync(ada.integration.id) == PARTLY

    now, entry = product.clock.now(), await known(product, ada, slots_of(ada))
    assert (entry.fetched_at, entry.error_code) == (NOON, "calendly_unavailable")
    assert tuple(each.start for each in slots(entry)) == ada.starts
    assert entry.retry_at is not None
    assert RETRY_AFTER <= entry.retry_at - now <= 1.1 * RETRY_AFTER
    assert (await known(product, ada, TYPES)).fetched_at == now
    assert due(product, ada) - now <= 1.1 * RETRY_AFTER


async def test_only_what_failed_is_tried_again(product: Product, process: Process) -> None:
    """After its rest the entry that failed is fetched alone, and its failure is forgotten."""
    ada = await host(product)
    product.calendly.fail_next("schedules", CalendlyForbidden("no"))
    await process.sync(ada.integration.id)
    product.calendly.calls.clear()

    resting = await process.sync(ada.integration.id)
    product.clock.advance(0.96 * LONGEST - timedelta(minutes=8))
    still_resting = await process.sync(ada.integration.id)
    product.clock.set((await known(product, ada, SCHEDULES)).retry_at or NOON)
    await process.sync(ada.integration.id)

    assert (resting, still_resting) == (UP_TO_DATE, UP_TO_DATE)
    assert product.calendly.calls["schedules"] == 1
    assert (await known(product, ada, SCHEDULES)).error_code is None


async def test_event_types_that_are_gone_are_forgotten(product: Product, process: Process) -> None:
    """The slots of an event type that was deleted or switched off are not kept."""
    ada = await host(product)
    other = product.calendly.add_event_type(ada.integration.account.user_uri)
    await process.sync(ada.integration.id)
    product.calendly.change_event_type(ada.event_type.uri, active=False)
    product.calendly.change_event_type(other.uri, deleted_at=NOON)
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)

    await process.sync(ada.integration.id)

    assert await cached(product, ada, slots_of(ada)) is None
    assert await cached(product, ada, CacheKey(CacheKind.SLOTS, other.uri)) is None
    assert product.calendly.calls["available_times"] == 2


async def test_new_event_types_get_their_slots(product: Product, process: Process) -> None:
    """An event type that a sync finds new has its slots fetched by the same sync."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    new = product.calendly.add_event_type(ada.integration.account.user_uri)
    await invalidate_cache(product, ada, "event_type.created", Scope.EVENT_TYPES)

    await process.sync(ada.integration.id)

    assert (await known(product, ada, CacheKey(CacheKind.SLOTS, new.uri))).content


async def test_what_calendly_calls_unchanged_is_as_good_as_new(
    product: Product, process: Process
) -> None:
    """An unchanged entry keeps its content and is fresh again; a near window is fetched whole."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    before = {at: await known(product, ada, at) for at in (TYPES, SCHEDULES)}
    product.telemetry.seen.clear()
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)

    assert await process.sync(ada.integration.id) == SYNCED

    for at, old in before.items():
        now = product.clock.now()
        # The change is a moment old: the entry is fetched once more when Calendly has caught up.
        settled = replace(old, fetched_at=now, settles_at=now - A_MOMENT + SETTLING)
        assert await known(product, ada, at) == settled
    assert {label for label in product.telemetry.seen if label[0] == "availability_fetched"} == {
        ("availability_fetched", CacheKind.EVENT_TYPES, "unchanged"),
        ("availability_fetched", CacheKind.SCHEDULES, "unchanged"),
        ("availability_fetched", CacheKind.SLOTS, "fetched"),
        ("availability_fetched", CacheKind.BUSY, "fetched"),
    }


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (CalendlyUnavailable("down"), RETRY_AFTER),
        (CalendlyThrottled("slow down", retry_after=600), timedelta(minutes=10)),
    ],
)
async def test_a_failed_sync_is_tried_again_later(
    product: Product, process: Process, error: SlotkeeperError, pause: timedelta
) -> None:
    """When Calendly is down one call shows it, every entry backs off, and the lease is released."""
    ada = await host(product)
    product.calendly.fail_always("event_types", error)

    with pytest.raises(type(error)):
        await process.sync(ada.integration.id)

    assert pause <= due(product, ada) - NOON <= 1.1 * pause
    for at in (TYPES, BUSY, SCHEDULES):
        entry = await known(product, ada, at)
        assert (entry.content, entry.error_code) == (b"", error.code)
        assert entry.retry_at == due(product, ada)
    assert product.storage.state.integrations[ada.integration.id].value.last_synced_at is None
    assert product.telemetry.seen["availability_sync", error.code] == 1
    assert product.calendly.calls["busy_times"] == 0
    product.calendly.heal()
    product.clock.set(due(product, ada))
    assert await process.sync(ada.integration.id) == SYNCED


@pytest.mark.parametrize("error", [CalendlyForbidden("no"), CalendlyProtocolError("odd")])
async def test_a_list_that_cannot_be_had_spoils_nothing_else(
    product: Product, process: Process, error: SlotkeeperError
) -> None:
    """When only the event types are refused, the slots of the known ones are still fetched."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    product.calendly.fail_always("event_types", error)

    assert await process.sync(ada.integration.id) == PARTLY

    types = await known(product, ada, TYPES)
    assert (types.error_code, event_types(types)) == (error.code, (ada.event_type,))
    assert (await known(product, ada, slots_of(ada))).fetched_at == product.clock.now()


async def test_what_is_refused_for_good_keeps_the_rhythm(
    product: Product, process: Process
) -> None:
    """A entry that Calendly refuses does not make the others be fetched more often."""
    ada = await host(product)
    product.calendly.broken_calendars.add(ada.integration.account.user_uri)

    assert await process.sync(ada.integration.id) == PARTLY

    assert 0.9 * CACHE.soft_ttl <= due(product, ada) - NOON <= CACHE.soft_ttl


@pytest.mark.parametrize("error", [None, CalendlyUnavailable("no")])
async def test_an_owner_without_the_lease_stores_nothing(
    product: Product, process: Process, error: SlotkeeperError | None
) -> None:
    """A sync that took longer than its right, which another one took over, changes nothing."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    if error is not None:
        product.calendly.fail_next("event_types", error, times=3)
    slow = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    product.clock.advance(FETCH_LEASE)
    now = product.clock.now()
    kept = CacheEntry(kind=CacheKind.SLOTS, key="new type", content=b"[]", fetched_at=now)
    async with product.storage() as uow:
        assert await uow.sync_queue.take(ada.integration.id, "other", now, now + FETCH_LEASE)
        await uow.availability.put(ada.integration.user_id, ada.integration.id, [kept])
        await uow.commit()
    hold.release()

    (outcome,) = await asyncio.gather(slow, return_exceptions=True)

    assert outcome == (HELD if error is None else error)
    assert await cached(product, ada, CacheKey(CacheKind.SLOTS, "new type")) == kept
    assert await cached(product, ada, TYPES) is None
    assert product.storage.state.integrations[ada.integration.id].sync_owner == "other"


async def test_a_change_during_a_fetch_invalidates(product: Product, process: Process) -> None:
    """An entry that is invalidated during its fetch stays invalidated, and is due immediately."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    task = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    await invalidate_cache(product, ada, "invitee.created", Scope.EVERYTHING)
    hold.release()
    await task

    entry = await known(product, ada, TYPES)

    assert entry.invalidated_by == "invitee.created"
    assert due(product, ada) <= product.clock.now()


async def test_what_a_reader_did_not_want_is_left_to_the_schedule(
    product: Product, process: Process
) -> None:
    """After a caller's refresh of one entry the user is due now while other entries are missing."""
    ada = await host(product)

    await process.event_types(ada.integration.user_id)
    after_one = due(product, ada)
    await process.sync_due(10, lambda _: None)

    assert after_one == NOON
    assert due(product, ada) > NOON + 0.8 * CACHE.soft_ttl
    assert dict(product.calendly.calls) == {
        "event_types": 1,
        "available_times": 1,
        "busy_times": 1,
        "schedules": 1,
    }


async def test_a_grant_that_died_is_not_asked_with(product: Product, process: Process) -> None:
    """An integration that needs a person is not fetched from."""
    ada = await host(product)
    product.calendly.revoke_grants(ada.integration.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(ada.integration.id)

    assert await process.sync(ada.integration.id) == INACTIVE
    assert product.calendly.calls["event_types"] == 0


@pytest.mark.parametrize("step", ["opening", "commit"])
async def test_a_failed_commit_delays_no_other_worker(
    product: Product, process: Process, step: str
) -> None:
    """When the store was down at a sync's end, the lease is released and the sync retried soon."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    task = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    script = product.storage.fail_next if step == "opening" else product.storage.fail_next_commit
    script(StorageUnavailable("away"))
    hold.release()

    with pytest.raises(StorageUnavailable):
        await task

    assert product.storage.state.integrations[ada.integration.id].sync_owner is None
    assert due(product, ada) == NOON + RETRY_AFTER


async def test_a_failed_entry_is_retried_besides_another(
    product: Product, process: Process
) -> None:
    """A failed entry is retried after its backoff, even if another one was refreshed since."""
    ada = await host(product)
    product.calendly.fail_always("available_times", CalendlyUnavailable("down"))
    await process.sync(ada.integration.id)
    again = (await known(product, ada, slots_of(ada))).retry_at
    await invalidate_cache(product, ada, scope=Scope.BOOKINGS)

    assert await process.sync(ada.integration.id) == SYNCED

    assert due(product, ada) == again


async def test_an_absent_integration_is_not_found(product: Product, process: Process) -> None:
    """A sync of an integration that does not exist raises an error."""
    with pytest.raises(IntegrationNotFound):
        await process.sync(IntegrationId(product.randomness.new_id()))
