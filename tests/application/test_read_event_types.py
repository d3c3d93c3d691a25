from datetime import timedelta

import msgspec
import pytest

from domain.cache_policy import Freshness
from domain.errors import AvailabilityPending
from tests.application.building import Product
from tests.application.offering import host
from tests.application.process import CACHE, Process
from tests.fakes.clock import NOON


async def test_event_types_come_with_their_age(product: Product, process: Process) -> None:
    """An answer says how old it is and what that means."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(timedelta(minutes=5))

    view = await process.event_types(ada.integration.user_id)

    assert view.items == (ada.event_type,)
    assert (view.age.fetched_at, view.age.age_seconds) == (NOON, 300)
    assert (view.age.freshness, view.age.expires_at) == (Freshness.FRESH, NOON + CACHE.ttl)
    assert (view.age.invalidated_by, view.age.error_code) == (None, None)


async def test_deleted_ones_are_left_out(product: Product, process: Process) -> None:
    """Inactive event types are shown as such, deleted ones are not shown."""
    ada = await host(product)
    owned = product.calendly.types[ada.integration.account.user_uri]
    inactive = msgspec.structs.replace(ada.event_type, uri="inactive", active=False)
    owned.extend([inactive, msgspec.structs.replace(ada.event_type, deleted_at=NOON)])

    view = await process.event_types(ada.integration.user_id)

    assert view.items == (ada.event_type, inactive)


async def test_an_invalidated_answer_says_by_what(product: Product, process: Process) -> None:
    """A caller sees which change overtook the answer."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    async with product.storage() as uow:
        await uow.availability.invalidate([ada.integration.user_id], NOON, by="event_type.updated")
        await uow.commit()

    view = await process.event_types(ada.integration.user_id)
    await product.background.settle()

    assert view.age.freshness is Freshness.INVALIDATED
    assert view.age.invalidated_by == "event_type.updated"


async def test_what_a_fetch_just_left_out_is_pending(product: Product, process: Process) -> None:
    """A user whose last sync was a moment ago, but left nothing, is told to ask again."""
    ada = await host(product)
    async with product.storage() as uow:
        await uow.sync_queue.take(ada.integration.id, "other", NOON, NOON + timedelta(minutes=1))
        await uow.sync_queue.finish(
            ada.integration.id, "other", synced_at=NOON, due_at=NOON + timedelta(minutes=2)
        )
        await uow.commit()

    with pytest.raises(AvailabilityPending) as refusal:
        await process.event_types(ada.integration.user_id)

    assert refusal.value.retry_after == 5
