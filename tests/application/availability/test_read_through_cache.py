import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.availability.cache_entries import event_types
from application.availability.cache_query import CacheResult
from application.availability.read_lists import SingleEntryQuery
from application.availability.read_through_cache import RETRY_AFTER, WAIT_SECONDS
from application.availability.retry_times import LONGEST
from application.availability.single_flight import NAME
from application.ports.storage.availability_cache import CacheKey, CacheKind, Scope
from application.ports.storage.breakers import Surface
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.cache_policy import Freshness
from domain.errors import (
    AvailabilityPending,
    CalendlyForbidden,
    CalendlyThrottled,
    CalendlyUnavailable,
    IntegrationNotFound,
    InvalidInput,
    ReauthRequired,
)
from domain.ids import WebhookEventId
from tests.application.support.building import Product
from tests.application.support.host_setup import A_MOMENT, Host, host, invalidate_cache
from tests.application.support.process import BREAKER, CACHE, Process
from tests.application.support.statement_counter import CountedStorage
from tests.fakes.clock import NOON

EVENT_TYPES = CacheKey(CacheKind.EVENT_TYPES)


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host whose cache was never filled."""
    return await host(product)


@pytest.fixture
async def warm(ada: Host, process: Process, product: Product) -> Host:
    """The same host, just synced."""
    await process.sync(ada.integration.id)
    product.calendly.calls.clear()
    product.telemetry.seen.clear()
    return ada


async def read(
    process: Process, ada: Host, at: CacheKey = EVENT_TYPES, *, max_age: timedelta | None = None
) -> CacheResult:
    """Read one part."""
    return await process.cache.read(ada.integration.user_id, SingleEntryQuery(at), max_age=max_age)


async def test_what_is_fresh_is_served(product: Product, process: Process, warm: Host) -> None:
    """A fresh part is served without any call to Calendly, and nothing runs behind."""
    product.clock.advance(0.9 * CACHE.lists_soft_ttl)

    found = await read(process, warm)

    assert found.age.fetched_at == NOON
    assert product.background.names == []
    assert product.calendly.calls.total() == 0
    assert product.telemetry.seen == {
        ("availability_read", CacheKind.EVENT_TYPES, Freshness.FRESH): 1
    }


async def test_what_is_stale_is_served_while_it_is_renewed(
    product: Product, process: Process, warm: Host
) -> None:
    """A stale entry is served immediately, and one background refresh fetches the new one."""
    product.clock.advance(CACHE.lists_soft_ttl + A_MOMENT)

    served = await asyncio.gather(*(read(process, warm) for _ in range(20)))
    await product.background.settle()
    renewed = await read(process, warm)

    assert {each.age.fetched_at for each in served} == {NOON}
    assert {each.age.freshness for each in served} == {Freshness.STALE}
    assert renewed.age.fetched_at == product.clock.now()
    # In half a day the token died, too.
    assert product.calendly.calls == {"event_types": 1, "refresh": 1}


async def test_invalidated_entries_are_served_during_the_refresh(
    product: Product, process: Process, warm: Host
) -> None:
    """An entry that a webhook invalidated is served as such, and refreshed in the background."""
    await invalidate_cache(product, warm, "event_type.updated", Scope.EVENT_TYPES)

    found = await read(process, warm)

    assert (found.age.freshness, found.age.invalidated_by) == (
        Freshness.INVALIDATED,
        "event_type.updated",
    )
    await product.background.settle()
    assert product.calendly.calls["event_types"] == product.calendly.calls.total() == 1
    assert (await read(process, warm)).age.freshness is Freshness.FRESH


async def test_what_waits_to_be_applied_costs_one_fetch(
    product: Product, process: Process, warm: Host
) -> None:
    """A webhook that is stored unapplied invalidates the times, which are fetched once for it."""
    busy = CacheKey(CacheKind.BUSY)
    product.clock.advance(A_MOMENT)
    id_, now = WebhookEventId(product.randomness.new_id()), product.clock.now()
    event = WebhookEvent(id_, "key", "invitee.created", b"{}", now, now)
    async with product.storage() as uow:
        await uow.webhook_events.store(
            [NewEvent(replace(event, user_id=warm.integration.user_id))]
        )
        await uow.commit()
    product.clock.advance(A_MOMENT)

    seen = []
    for _ in range(3):
        seen.append((await read(process, warm, busy)).age.freshness)
        await product.background.settle()

    assert seen == [Freshness.INVALIDATED, Freshness.FRESH, Freshness.FRESH]
    assert product.calendly.calls == {"busy_times": 1}


async def test_entries_in_another_format_are_fetched_again(
    product: Product, process: Process, warm: Host
) -> None:
    """An entry that another version stored in an unknown format is treated as missing."""
    state, at = product.storage.state, (warm.integration.user_id, *EVENT_TYPES)
    row = state.entries[at]
    state.entries[at] = replace(
        row, entry=replace(row.entry, content=b'[{"uri":1}]', etag='"one"')
    )

    found = await read(process, warm)
    again = await read(process, warm)

    assert found.age.freshness is Freshness.FRESH
    assert event_types(again.sources[0]) == (warm.event_type,)
    assert product.calendly.calls == {"event_types": 1}


async def test_a_change_affects_some_entries_only(
    product: Product, process: Process, warm: Host
) -> None:
    """Entries that a booking does not affect stay fresh, and are not fetched again."""
    await invalidate_cache(product, warm, scope=Scope.BOOKINGS)

    states = {
        key.kind: (await read(process, warm, key)).age.freshness
        for key in (EVENT_TYPES, CacheKey(CacheKind.SCHEDULES), CacheKey(CacheKind.BUSY))
    }
    await product.background.settle()

    assert states == {
        CacheKind.EVENT_TYPES: Freshness.FRESH,
        CacheKind.SCHEDULES: Freshness.FRESH,
        CacheKind.BUSY: Freshness.INVALIDATED,
    }
    assert product.calendly.calls["busy_times"] == product.calendly.calls.total() == 1


async def test_six_hours_without_calendly_are_survived(
    product: Product, process: Process, warm: Host
) -> None:
    """While Calendly is down every read is served immediately, marked stale with its age."""
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))
    product.clock.advance(CACHE.lists_soft_ttl)

    for _ in range(12):
        product.clock.advance(timedelta(minutes=30))
        found = await read(process, warm)
        await product.background.settle()

    assert (found.age.fetched_at, found.age.freshness) == (NOON, Freshness.STALE)
    assert found.age.error_code == "calendly_unavailable"
    assert ("availability_wait", "pending") not in product.telemetry.seen


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (CalendlyThrottled("slow", retry_after=600), timedelta(minutes=11)),
        (CalendlyUnavailable("down"), timedelta(minutes=3)),
        (CalendlyForbidden("no"), LONGEST),
    ],
)
async def test_reads_back_off_after_a_failure(
    product: Product,
    process: Process,
    warm: Host,
    error: CalendlyThrottled | CalendlyUnavailable | CalendlyForbidden,
    pause: timedelta,
) -> None:
    """A failed fetch is repeated once a backoff, for any number of reads of the stale entry."""
    product.clock.advance(CACHE.lists_soft_ttl + A_MOMENT)
    product.calendly.fail_always("event_types", error)

    for _ in range(10):
        await read(process, warm)
        await product.background.settle()
    refused = product.telemetry.seen["availability_fetched", CacheKind.EVENT_TYPES, error.code]
    begun = product.background.names.count(NAME)
    product.clock.advance(pause)
    await read(process, warm)
    await product.background.settle()

    assert (refused, begun) == (1, 1)
    assert product.telemetry.seen["availability_fetched", CacheKind.EVENT_TYPES, error.code] == 2


async def test_reads_of_an_empty_cache_back_off_after_a_failure(
    product: Product, process: Process, ada: Host
) -> None:
    """Without anything cached, too, a failed fetch is not repeated by every reader."""
    product.calendly.fail_always("event_types", CalendlyForbidden("no"))

    for _ in range(5):
        with pytest.raises(CalendlyForbidden):
            await read(process, ada)

    assert product.calendly.calls["event_types"] == 1


async def test_a_new_entry_is_pending_until_it_is_fetched(
    product: Product, process: Process, ada: Host
) -> None:
    """A failure that was removed is no longer reported, even if the next fetch cannot be stored."""
    product.calendly.fail_next("event_types", CalendlyForbidden("no"))
    with pytest.raises(CalendlyForbidden):
        await read(process, ada)
    await invalidate_cache(product, ada, "reconnect", Scope.EVERYTHING)
    for _ in range(10):
        product.storage.fail_next_commit()

    with pytest.raises(AvailabilityPending) as refusal:
        await read(process, ada)

    assert (refusal.value.retry_after, "None" in refusal.value.message) == (RETRY_AFTER, False)


async def test_a_refusal_affects_one_entry_only(
    product: Product, process: Process, ada: Host
) -> None:
    """Calendly's refusal of one entry does not affect the others."""
    product.calendly.fail_always("schedules", CalendlyForbidden("no"))
    with pytest.raises(CalendlyForbidden):
        await read(process, ada, CacheKey(CacheKind.SCHEDULES))

    found = await read(process, ada)

    assert found.age.freshness is Freshness.FRESH


async def test_a_disconnecting_account_is_not_served(
    product: Product, process: Process, warm: Host
) -> None:
    """Once a user has asked to disconnect, nothing of the account is shown any more."""
    await product.mark_disconnecting(warm.integration.id)

    with pytest.raises(IntegrationNotFound):
        await read(process, warm)


async def test_a_user_without_account_is_not_found(product: Product, process: Process) -> None:
    """A user who connected nothing is shown the way to do so."""
    bob = await product.user("bob")

    with pytest.raises(IntegrationNotFound, match="/api/calendly/connect"):
        await process.cache.read(bob, SingleEntryQuery(EVENT_TYPES))


async def test_a_first_fetch_that_takes_long_is_not_waited_for(
    product: Product, process: Process, ada: Host
) -> None:
    """A caller that waits for a fetch without an end gets `retry_after`, after a limited time."""
    hold = product.calendly.hold_next("event_types")
    loop = asyncio.get_running_loop()
    began = loop.time()

    with pytest.raises(AvailabilityPending) as refusal:
        await read(process, ada)

    assert refusal.value.retry_after == RETRY_AFTER
    assert WAIT_SECONDS <= loop.time() - began < WAIT_SECONDS + 1
    assert product.telemetry.seen["availability_wait", "pending"] == 1
    hold.release()
    await product.background.settle()
    assert (await read(process, ada)).age.freshness is Freshness.FRESH
    assert product.calendly.calls["event_types"] == 1


async def test_a_fetch_elsewhere_that_takes_long_is_not_waited_for(
    product: Product, process: Process, ada: Host
) -> None:
    """Waiting for another process is bounded as well."""
    hold = product.calendly.hold_next("event_types")
    other = asyncio.create_task(Process(product, "process-2").sync(ada.integration.id))
    await hold.reached.wait()

    with pytest.raises(AvailabilityPending):
        await read(process, ada)

    assert product.calendly.calls["event_types"] == 1
    hold.release()
    await other


async def test_what_is_expired_is_fetched_first(
    product: Product, process: Process, warm: Host
) -> None:
    """A part that is too old is not served while Calendly can be asked."""
    product.clock.advance(CACHE.ttl + A_MOMENT)

    found = await read(process, warm)

    assert found.age.fetched_at == product.clock.now()
    assert product.telemetry.seen["availability_wait", "fetched"] == 1


async def test_an_expired_entry_is_better_than_none(
    product: Product, process: Process, warm: Host
) -> None:
    """While Calendly is down the last known is served to all callers, marked as expired."""
    product.clock.advance(CACHE.ttl + A_MOMENT)
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))

    found = [await read(process, warm) for _ in range(3)]

    assert {(each.age.fetched_at, each.age.freshness) for each in found} == {
        (NOON, Freshness.EXPIRED)
    }
    assert {each.age.error_code for each in found} == {"calendly_unavailable"}
    assert (
        product.telemetry.seen[
            "availability_fetched", CacheKind.EVENT_TYPES, "calendly_unavailable"
        ]
        == 1
    )


async def test_while_the_breaker_is_open_no_fetch_runs(
    product: Product, process: Process, warm: Host
) -> None:
    """Once the breaker is open the last known is served immediately, and no refresh begins."""
    bob = await host(product, "bob")
    await process.sync(bob.integration.id)
    product.clock.advance(CACHE.ttl + A_MOMENT)
    await open_breaker(process)
    store = product.storage = CountedStorage(product.storage)
    other = Process(product, "process-2")
    await read(other, warm)
    before, names = store.openings, list(product.background.names)

    expired = [await read(other, each) for each in (warm, bob, warm, bob)]

    assert {each.age.freshness for each in expired} == {Freshness.EXPIRED}
    assert store.openings == before + len(expired)
    assert product.background.names == names
    assert ("availability_wait", "not_fetched") not in product.telemetry.seen


async def test_stale_entries_stay_while_the_breaker_is_open(
    product: Product, process: Process, warm: Host
) -> None:
    """Behind a stale answer nothing is tried while the breaker is open, and again after it."""
    product.clock.advance(CACHE.lists_soft_ttl + A_MOMENT)
    await open_breaker(process)
    product.calendly.calls.clear()

    await read(process, warm)
    await product.background.settle()
    held_off = product.telemetry.seen[
        "availability_fetched", CacheKind.EVENT_TYPES, "circuit_open"
    ]
    product.clock.advance(2 * BREAKER.reset)
    await read(process, warm)
    await product.background.settle()

    assert held_off == 0
    assert product.calendly.calls["event_types"] == 1


async def open_breaker(process: Process) -> None:
    """Let calls fail until the breaker opens."""

    async def fail() -> None:
        raise CalendlyUnavailable("down")

    for _ in range(BREAKER.threshold):
        with pytest.raises(CalendlyUnavailable):
            await process.circuit_breakers.call(Surface.API, fail)


async def test_what_is_expired_beats_a_fetch_that_does_not_end(
    product: Product, process: Process, warm: Host
) -> None:
    """When Calendly does not answer in time the last known is served, marked as expired."""
    product.clock.advance(CACHE.ttl + A_MOMENT)
    hold = product.calendly.hold_next("event_types")

    found = await read(process, warm)

    assert (found.age.fetched_at, found.age.freshness) == (NOON, Freshness.EXPIRED)
    assert product.telemetry.seen["availability_wait", "not_fetched"] == 1
    hold.release()
    await product.background.settle()


async def test_a_revoked_grant_is_reported_immediately(
    product: Product, process: Process, ada: Host
) -> None:
    """When nothing is cached and nothing can be fetched, the user has to connect again."""
    product.calendly.revoke_grants(ada.integration.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(ada.integration.id)

    with pytest.raises(ReauthRequired):
        await read(process, ada)


async def test_a_dead_grant_leaves_the_last_known(
    product: Product, process: Process, warm: Host
) -> None:
    """Cached entries are still served after the grant is revoked, and no refresh runs."""
    product.calendly.revoke_grants(warm.integration.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(warm.integration.id)
    names = list(product.background.names)
    product.clock.advance(CACHE.lists_soft_ttl + A_MOMENT)
    stale = await read(process, warm)
    product.clock.advance(CACHE.ttl)

    expired = await read(process, warm, max_age=timedelta())

    assert {stale.age.fetched_at, expired.age.fetched_at} == {NOON}
    assert expired.age.freshness is Freshness.EXPIRED
    assert product.background.names == names


async def test_a_reader_may_insist_on_fresher(
    product: Product, process: Process, warm: Host
) -> None:
    """An answer older than `max_age` is fetched first, a younger one is served."""
    product.clock.advance(timedelta(minutes=5))

    young = await read(process, warm, max_age=timedelta(minutes=5))
    fetched = await read(process, warm, max_age=timedelta(minutes=4))
    again = await read(process, warm, max_age=timedelta())

    assert young.age.fetched_at == NOON
    assert fetched.age.fetched_at == again.age.fetched_at == product.clock.now()
    assert product.calendly.calls["event_types"] == 1


async def test_reads_with_max_age_share_one_fetch(
    product: Product, process: Process, warm: Host
) -> None:
    """Many concurrent reads with `max_age` cause one call to Calendly."""
    product.clock.advance(timedelta(minutes=5))

    found = await asyncio.gather(
        *(read(process, warm, max_age=timedelta(seconds=number)) for number in range(50))
    )

    assert {each.age.fetched_at for each in found} == {product.clock.now()}
    assert product.calendly.calls["event_types"] == 1


async def test_max_age_gets_the_last_known_while_calendly_is_down(
    product: Product, process: Process, warm: Host
) -> None:
    """When a fetch fails the last known is served, and no fetch runs before its backoff ends."""
    product.clock.advance(timedelta(minutes=5))
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))

    found = [await read(process, warm, max_age=timedelta(minutes=1)) for _ in range(5)]

    assert {each.age.fetched_at for each in found} == {NOON}
    assert {each.age.error_code for each in found} == {"calendly_unavailable"}
    assert (
        product.telemetry.seen[
            "availability_fetched", CacheKind.EVENT_TYPES, "calendly_unavailable"
        ]
        == 1
    )


async def test_max_age_is_pending_when_the_fetch_is_slow(
    product: Product, process: Process, warm: Host
) -> None:
    """A caller that does not accept the last known does not get it when the fetch is too slow."""
    product.clock.advance(timedelta(minutes=5))
    hold = product.calendly.hold_next("event_types")

    with pytest.raises(AvailabilityPending):
        await read(process, warm, max_age=timedelta(minutes=1))

    hold.release()
    await product.background.settle()


@pytest.mark.parametrize("max_age", [timedelta(seconds=-1), timedelta.max])
async def test_odd_ages_are_dealt_with(
    product: Product, process: Process, warm: Host, max_age: timedelta
) -> None:
    """A negative age is rejected, and a huge one has no effect; neither causes a call."""
    if max_age < timedelta():
        with pytest.raises(InvalidInput):
            await read(process, warm, max_age=max_age)
    else:
        assert (await read(process, warm, max_age=max_age)).age.fetched_at == NOON

    assert product.calendly.calls.total() == 0
