import pytest

from application.webhooks.lock_contention import LockedIntegrations
from domain.errors import StorageContended
from domain.integration import Integration
from tests.application.support.building import Product


def meet(held: LockedIntegrations, *whom: Integration) -> None:
    """Meet a lock while something is done for these."""
    with pytest.raises(StorageContended, match="Held"), held.recorded(whom):
        raise StorageContended("Held.")


def is_begun(held: LockedIntegrations, *whom: Integration) -> bool:
    """Whether work for these is begun."""
    try:
        with held.recorded(whom):
            return True
    except StorageContended:
        return False


async def test_what_was_met_once_is_not_met_again(product: Product) -> None:
    """Work for an integration that was found held is not begun, alone or with others."""
    ada, bob = [await product.connect(name) for name in ("ada", "bob")]
    held = LockedIntegrations()

    meet(held, ada)

    assert not is_begun(held, ada)
    assert not is_begun(held, ada, bob)
    assert is_begun(held, bob)
    assert is_begun(held)


async def test_who_was_met_together_is_looked_at_alone(product: Product) -> None:
    """If work for two integrations meets a lock, work for one of them alone is still tried."""
    ada, bob, cyd = [await product.connect(name) for name in ("ada", "bob", "cyd")]
    held = LockedIntegrations()

    meet(held, ada, bob)

    assert not is_begun(held, ada, bob, cyd)
    assert is_begun(held, ada)
    assert is_begun(held, bob)


async def test_another_error_is_not_a_lock(product: Product) -> None:
    """After another error, later work is still tried."""
    ada = await product.connect("ada")
    held = LockedIntegrations()

    with pytest.raises(KeyError), held.recorded([ada]):
        raise KeyError

    assert is_begun(held, ada)
