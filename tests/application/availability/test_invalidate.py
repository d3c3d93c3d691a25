from datetime import timedelta

import pytest

from application.availability.invalidate import InvalidateAvailability
from application.availability.refresh_scope import SINGLE
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.cache_policy import Freshness
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, cached, host, mark_read
from tests.application.support.process import Process

WHILE = timedelta(minutes=20)


@pytest.fixture
def invalidate(product: Product) -> InvalidateAvailability:
    """The use case."""
    return InvalidateAvailability(storage=product.storage, clock=product.clock)


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """A host with everything cached."""
    made = await host(product)
    await process.sync(made.integration.id)
    product.clock.advance(WHILE)
    return made


def everything(of: Host) -> list[CacheKey]:
    """Return all that is cached of a host."""
    return [*SINGLE, CacheKey(CacheKind.SLOTS, of.event_type.uri)]


async def invalidations_of(product: Product, of: Host) -> set[str | None]:
    """Return the invalidations of the host's entries."""
    found = [await cached(product, of, at) for at in everything(of)]
    return {each.invalidated_by for each in found if each is not None}


@pytest.mark.parametrize("by_user", [True, False])
async def test_everything_is_invalidated(
    product: Product, ada: Host, invalidate: InvalidateAvailability, *, by_user: bool
) -> None:
    """The operator invalidates everything cached for the user; other users' entries stay fresh."""
    grace = await host(product, "grace")
    before = product.storage.state.integrations[grace.integration.id]
    mine = ada.integration

    found = await (invalidate.for_user(mine.user_id) if by_user else invalidate(mine.id))

    assert found.id == mine.id
    assert await invalidations_of(product, ada) == {"operator"}
    assert product.storage.state.integrations[grace.integration.id] == before


async def test_what_happens_next(
    product: Product, process: Process, ada: Host, invalidate: InvalidateAvailability
) -> None:
    """The next reader has the last known, marked, and the schedule's run fetches what is read."""
    user_id = ada.integration.user_id
    await mark_read(product, ada, *everything(ada))
    await invalidate(ada.integration.id)
    product.clock.advance(timedelta(seconds=1))
    calls = product.calendly.calls["schedules"]

    read = await process.schedules(user_id)
    await product.background.settle()

    assert read.age.freshness is Freshness.INVALIDATED
    assert product.calendly.calls["schedules"] == calls + 1
    await process.sync_due(10, lambda _: None)
    assert await invalidations_of(product, ada) == {None}


async def test_a_user_without_a_connection_is_not_found(
    product: Product, ada: Host, invalidate: InvalidateAvailability
) -> None:
    """An unknown integration, and one that is being disconnected, are refused untouched."""
    await product.mark_disconnecting(ada.integration.id)
    version = version_of(product, ada.integration)

    for attempt in (
        invalidate(ada.integration.id),
        invalidate.for_user(ada.integration.user_id),
        invalidate(IntegrationId(product.randomness.new_id())),
        invalidate.for_user(await product.user("nobody")),
    ):
        with pytest.raises(IntegrationNotFound):
            await attempt

    assert version_of(product, ada.integration) == version


def version_of(product: Product, integration: Integration) -> int:
    """Return the version of a user's availability."""
    return product.storage.state.integrations[integration.id].version
