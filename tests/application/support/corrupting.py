"""Spoiling what is stored, as a bad disk, a hand in the database or a wrong restore does."""

from msgspec.structs import replace

from domain.integration import Integration
from tests.application.support.building import Product


async def corrupt(product: Product, integration: Integration, **changes: str) -> None:
    """Put other texts in the place of an integration's sealed tokens: `access`, `refresh`."""
    row = product.storage.state.integrations[integration.id]
    assert row.value.tokens is not None
    corrupt = replace(row.value, tokens=replace(row.value.tokens, **changes))
    product.storage.state.integrations[integration.id] = replace(row, value=corrupt)
