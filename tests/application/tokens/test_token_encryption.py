import pytest
from msgspec.structs import replace

from application.tokens.token_encryption import open_access, open_refresh
from domain.errors import SealedValueUnreadable
from domain.ids import IntegrationId
from tests.application.support.building import Product


async def test_a_pair_opens_for_its_own_row_only(product: Product) -> None:
    """A sealed pair that is copied to another row, or into the other column, does not open."""
    connected = await product.connect()
    assert connected.tokens is not None
    elsewhere = replace(connected, id=IntegrationId(product.randomness.new_id()))
    swapped = replace(
        connected,
        tokens=replace(
            connected.tokens, access=connected.tokens.refresh, refresh=connected.tokens.access
        ),
    )

    assert open_refresh(product.vault, connected).reveal() == product.calendly.grants[0].refresh
    for wrong in (elsewhere, swapped):
        with pytest.raises(SealedValueUnreadable):
            open_access(product.vault, wrong)
        with pytest.raises(SealedValueUnreadable):
            open_refresh(product.vault, wrong)
