from datetime import timedelta

import msgspec

from application.ports.storage.availability_cache import Scope
from domain.cache_policy import Freshness
from tests.application.support.building import Product
from tests.application.support.host_setup import host, invalidate_cache
from tests.application.support.process import CACHE, Process
from tests.fakes.clock import NOON


async def test_event_types_come_with_their_age(product: Product, process: Process) -> None:
    """An answer says when it was fetched, until when that counts, and where it came from."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(timedelta(minutes=5))

    view = await process.event_types(ada.integration.user_id)

    assert view.items == (ada.event_type,)
    assert (view.age.fetched_at, view.age.freshness) == (NOON, Freshness.FRESH)
    assert 0.9 * CACHE.lists_soft_ttl <= view.age.stale_at - NOON <= CACHE.lists_soft_ttl
    assert 0.9 * CACHE.ttl <= view.age.expires_at - NOON <= CACHE.ttl
    assert (view.age.invalidated_by, view.age.error_code) == (None, None)
    assert view.origin.integration_id == ada.integration.id
    assert view.origin.valid_until == view.age.stale_at


async def test_deleted_ones_are_left_out(product: Product, process: Process) -> None:
    """Inactive event types are shown as such, deleted ones are not shown."""
    ada = await host(product)
    owned = product.calendly.types[ada.integration.account.user_uri]
    inactive = msgspec.structs.replace(ada.event_type, uri="inactive", active=False)
    owned.extend([inactive, msgspec.structs.replace(ada.event_type, deleted_at=NOON)])

    view = await process.event_types(ada.integration.user_id)

    assert view.items == (ada.event_type, inactive)


async def test_an_invalidated_response_has_the_reason(product: Product, process: Process) -> None:
    """A caller sees the change that invalidated the response, and no such response is cached."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    await invalidate_cache(product, ada, "event_type.updated", Scope.EVENT_TYPES)

    view = await process.event_types(ada.integration.user_id)
    await product.background.settle()

    assert view.age.freshness is Freshness.INVALIDATED
    assert view.age.invalidated_by == "event_type.updated"
    assert view.origin.valid_until <= product.clock.now()


async def test_the_version_grows_with_each_change(product: Product, process: Process) -> None:
    """Two answers of one version say the same; a change and a fetch give another version."""
    ada = await host(product)
    await process.sync(ada.integration.id)

    first, again = [await process.event_types(ada.integration.user_id) for _ in range(2)]
    await invalidate_cache(product, ada, scope=Scope.EVERYTHING)
    invalidated = await process.event_types(ada.integration.user_id)
    await product.background.settle()
    renewed = await process.event_types(ada.integration.user_id)

    assert (first.version, first) == (again.version, again)
    assert first.version < invalidated.version < renewed.version
