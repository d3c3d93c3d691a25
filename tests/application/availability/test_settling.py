"""Calendly's lists may lag behind its webhooks: a change is confirmed once, after a minute."""

from datetime import timedelta

import pytest

from application.ports.storage.availability_cache import CacheKey, CacheKind, Scope
from domain.cache_policy import SETTLING, Freshness
from tests.application.support.building import Product
from tests.application.support.host_setup import (
    A_DAY,
    A_MOMENT,
    TOMORROW,
    Host,
    cached,
    host,
    invalidate_cache,
    mark_read,
)
from tests.application.support.process import Process

METHODS = ("event_types", "available_times", "busy_times", "schedules")


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """A host of a group event whose availability is cached."""
    made = await host(product, kind="group")
    await process.sync(made.integration.id)
    product.clock.advance(timedelta(hours=1))
    product.calendly.calls.clear()
    return made


async def seen(process: Process, ada: Host) -> tuple[list[int], Freshness]:
    """Return the seats that a reader sees, and how fresh they are."""
    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, TOMORROW, TOMORROW + A_DAY
    )
    return [each.seats for each in view.slots], view.age.freshness


@pytest.mark.parametrize("lag", [timedelta(seconds=4), timedelta(seconds=40)])
async def test_a_list_that_lags_is_right_within_two_minutes(
    product: Product, process: Process, ada: Host, lag: timedelta
) -> None:
    """A slot list that does not show the change yet is fetched once more, and no more often."""
    lists = product.calendly.slots
    right = lists[ada.event_type.uri]
    lists[ada.event_type.uri] = right[1:]
    await invalidate_cache(product, ada)
    await process.sync(ada.integration.id)
    assert await seen(process, ada) == ([3, 3], Freshness.FRESH)

    product.clock.advance(lag)
    lists[ada.event_type.uri] = right
    product.clock.advance(SETTLING - lag)
    assert await seen(process, ada) == ([3, 3], Freshness.STALE)
    for _ in range(3):
        await process.sync(ada.integration.id)
        product.clock.advance(SETTLING)

    assert await seen(process, ada) == ([3, 3, 3], Freshness.FRESH)
    assert product.calendly.calls["available_times"] == 2


@pytest.mark.parametrize(
    ("scope", "again"),
    [
        (Scope.BOOKINGS, {"available_times": 2, "busy_times": 2}),
        (Scope.EVENT_TYPES, {"event_types": 2, "schedules": 2, "available_times": 2}),
    ],
)
async def test_what_a_change_invalidates_is_asked_once_more(
    product: Product, process: Process, ada: Host, scope: Scope, again: dict[str, int]
) -> None:
    """Slots, busy times and event types are asked twice at most for each change."""
    await invalidate_cache(product, ada, scope=scope)
    for _ in range(10):
        await process.sync(ada.integration.id)
        product.clock.advance(SETTLING / 3)

    counts = {name: product.calendly.calls[name] for name in METHODS}
    assert {name: count for name, count in counts.items() if count} == again


async def test_a_late_fetch_is_not_repeated(product: Product, process: Process, ada: Host) -> None:
    """An entry that is fetched a minute after its change, or later, is final."""
    await invalidate_cache(product, ada)
    product.clock.advance(SETTLING)
    for _ in range(3):
        await process.sync(ada.integration.id)
        product.clock.advance(SETTLING)

    assert product.calendly.calls["available_times"] == 1


async def test_the_schedule_confirms_what_is_read(
    product: Product, process: Process, ada: Host
) -> None:
    """A user whose entries settle is due then; without a reader that costs no call."""
    slots = CacheKey(CacheKind.SLOTS, ada.event_type.uri)
    await mark_read(product, ada, slots)
    await invalidate_cache(product, ada)
    await process.sync_due(10, lambda _: None)
    entry = await cached(product, ada, slots)
    assert entry is not None
    assert entry.settles_at is not None
    assert product.calendly.calls["available_times"] == 1
    product.clock.advance(entry.settles_at - product.clock.now() + A_MOMENT)
    await mark_read(product, ada, slots)

    await process.sync_due(10, lambda _: None)

    assert product.calendly.calls["available_times"] == 2
