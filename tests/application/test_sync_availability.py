import asyncio
from datetime import timedelta

import msgspec
import pytest

from application.cached_values import slots
from application.ports.availability_cache import CachedPart, Part
from application.sync_availability import HELD, NOT_DUE, PARTLY, RETRY_AFTER, SYNCED, TURN
from domain.errors import (
    CalendlyForbidden,
    CalendlyThrottled,
    CalendlyUnavailable,
    IntegrationNotFound,
    SlotkeeperError,
)
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.application.building import Product
from tests.application.offering import host
from tests.application.process import CACHE, Process
from tests.fakes.clock import NOON
from tests.fakes.sync_queue import due_at


async def cached(
    product: Product, integration: Integration, part: Part, key: str = ""
) -> CachedPart | None:
    """Return a part as it is cached."""
    async with product.storage() as uow:
        return await uow.availability.read(integration.user_id, part, key)


async def test_a_sync_fills_the_cache(product: Product, process: Process) -> None:
    """After a sync every part is there, and the next one is due when it turns stale."""
    ada = await host(product)

    assert await process.sync(ada.integration.id) == SYNCED

    for part, key in ((Part.EVENT_TYPES, ""), (Part.SLOTS, ada.event_type.uri), (Part.BUSY, "")):
        assert await cached(product, ada.integration, part, key) is not None
    row = product.storage.state.integrations[ada.integration.id]
    assert row.value.last_synced_at == NOON
    assert 0.9 * CACHE.soft_ttl <= due_at(row) - NOON <= CACHE.soft_ttl
    assert product.signals.seen == {("availability_sync", SYNCED): 1}


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


async def test_a_failed_part_keeps_its_content(product: Product, process: Process) -> None:
    """What could not be fetched stays as it was, says why, and is tried again soon."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(timedelta(hours=1))
    product.calendly.fail_always("available_times", CalendlyUnavailable("down"))

    assert await process.sync(ada.integration.id) == PARTLY

    part = await cached(product, ada.integration, Part.SLOTS, ada.event_type.uri)
    assert part is not None
    assert (part.fetched_at, part.error_code) == (NOON, "calendly_unavailable")
    assert tuple(each.start for each in slots(part)) == ada.starts
    fresh = await cached(product, ada.integration, Part.EVENT_TYPES)
    assert fresh is not None
    assert fresh.fetched_at == product.clock.now()
    row = product.storage.state.integrations[ada.integration.id]
    assert due_at(row) - product.clock.now() <= 1.1 * RETRY_AFTER


async def test_deleted_event_types_are_forgotten(product: Product, process: Process) -> None:
    """The slots of an event type that is gone are not kept."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.calendly.types[ada.integration.account.user_uri] = [
        msgspec.structs.replace(ada.event_type, active=False)
    ]

    await process.sync(ada.integration.id)

    assert await cached(product, ada.integration, Part.SLOTS, ada.event_type.uri) is None


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
    """A sync that brought nothing frees the right, and is due again once its pause is over."""
    ada = await host(product)
    product.calendly.fail_always("event_types", error)

    with pytest.raises(type(error)):
        await process.sync(ada.integration.id)

    row = product.storage.state.integrations[ada.integration.id]
    assert pause <= due_at(row) - NOON <= 1.1 * pause
    part = await cached(product, ada.integration, Part.EVENT_TYPES)
    assert part is not None
    assert (part.content, part.error_code) == (b"", error.code)
    assert row.value.last_synced_at is None
    assert product.signals.seen == {("availability_sync", error.code): 1}
    product.calendly.heal()
    assert await process.sync(ada.integration.id) == SYNCED


async def test_what_is_refused_for_good_keeps_the_rhythm(
    product: Product, process: Process
) -> None:
    """A part that Calendly refuses does not make the others be fetched more often."""
    ada = await host(product)
    product.calendly.broken_calendars.add(ada.integration.account.user_uri)

    assert await process.sync(ada.integration.id) == PARTLY

    row = product.storage.state.integrations[ada.integration.id]
    assert 0.9 * CACHE.soft_ttl <= due_at(row) - NOON <= CACHE.soft_ttl


async def test_a_throttled_part_waits_as_long_as_asked(product: Product, process: Process) -> None:
    """When a part was throttled, the next sync is not due before Calendly wants to be asked."""
    ada = await host(product)
    product.calendly.fail_always("available_times", CalendlyThrottled("slow", retry_after=600))

    assert await process.sync(ada.integration.id) == PARTLY

    row = product.storage.state.integrations[ada.integration.id]
    assert timedelta(minutes=10) <= due_at(row) - NOON <= timedelta(minutes=11)


@pytest.mark.parametrize("error", [None, CalendlyForbidden("no")])
async def test_who_lost_the_right_stores_nothing(
    product: Product, process: Process, error: SlotkeeperError | None
) -> None:
    """A sync that took longer than its right, which another one took over, changes nothing."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    if error is not None:
        product.calendly.fail_next("event_types", error)
    slow = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    product.clock.advance(TURN)
    now = product.clock.now()
    kept = CachedPart(part=Part.SLOTS, key="new type", content=b"[]", fetched_at=now)
    async with product.storage() as uow:
        assert await uow.sync_queue.take(ada.integration.id, "other", now, now + TURN)
        await uow.availability.put(ada.integration.user_id, ada.integration.id, [kept])
        await uow.commit()
    hold.release()

    (outcome,) = await asyncio.gather(slow, return_exceptions=True)

    assert outcome == (HELD if error is None else error)
    assert await cached(product, ada.integration, Part.SLOTS, "new type") == kept
    assert await cached(product, ada.integration, Part.EVENT_TYPES) is None
    assert product.storage.state.integrations[ada.integration.id].sync_owner == "other"


async def test_what_is_not_due_is_left_alone(product: Product, process: Process) -> None:
    """Who wants to sync only what is due fetches nothing before the due time."""
    ada = await host(product)
    await process.sync(ada.integration.id)

    assert await process.sync(ada.integration.id, only_if_due=True) == NOT_DUE
    assert product.calendly.calls["event_types"] == 1
    product.clock.advance(CACHE.soft_ttl)
    assert await process.sync(ada.integration.id, only_if_due=True) == SYNCED


async def test_a_change_during_a_fetch_is_not_overlooked(
    product: Product, process: Process
) -> None:
    """What is invalidated while it is fetched stays invalidated, and is due at once."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    task = asyncio.create_task(process.sync(ada.integration.id))
    await hold.reached.wait()
    product.clock.advance(timedelta(seconds=1))
    async with product.storage() as uow:
        await uow.availability.invalidate(
            [ada.integration.user_id], product.clock.now(), by="invitee.created"
        )
        await uow.commit()
    hold.release()
    await task

    part = await cached(product, ada.integration, Part.EVENT_TYPES)

    assert part is not None
    assert part.invalidated_by == "invitee.created"
    row = product.storage.state.integrations[ada.integration.id]
    assert due_at(row) <= product.clock.now()


async def test_an_absent_integration_is_not_found(product: Product, process: Process) -> None:
    """A sync of an integration that does not exist says so."""
    with pytest.raises(IntegrationNotFound):
        await process.sync(IntegrationId(product.entropy.new_id()))
