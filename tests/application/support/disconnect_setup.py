"""An account on its way out, and what is left of it."""

from domain.integration import Integration
from tests.application.support.building import Product
from tests.application.support.process import Process


async def leave(product: Product, process: Process, external_id: str = "ada") -> Integration:
    """Connect, subscribe and mark as disconnecting."""
    connected = await product.connect(external_id)
    await process.ensure(connected.id)
    await product.mark_disconnecting(connected.id)
    return await product.stored(connected.id)


def is_gone(product: Product) -> bool:
    """Whether nothing is left of the integration, on either side."""
    return (
        product.storage.state.integrations == {}
        and product.calendly.subscriptions == {}
        and all(grant.revoked for grant in product.calendly.grants)
    )
