"""Taking the refresh lease, as callers of RefreshUnderLease do."""

from domain.ids import IntegrationId
from domain.integration import Integration, Lease
from tests.application.support.building import Product
from tests.application.support.process import LEASE


async def leased(product: Product, integration_id: IntegrationId) -> tuple[Integration, Lease]:
    """Take the refresh lease."""
    now = product.clock.now()
    async with product.storage() as uow:
        taken = await uow.refresh_queue.take(integration_id, "somebody", now, now + LEASE)
        await uow.commit()
    assert taken is not None
    return taken
