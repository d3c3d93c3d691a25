"""The product's use cases over the real store, sealed by the real vault."""

import base64

from adapters.persistence.storage import PiccoloStorage
from adapters.security.vault import KeyRingVault
from application.security.rotate_encryption import RotateEncryption, Rotation, Unreadable
from domain.secret import Secret
from tests.application.support.building import Product
from tests.application.support.process import Process

KEYS = {
    name: Secret(base64.b64encode(bytes([number]) * 32).decode())
    for number, name in enumerate(("k1", "k2", "k3"))
}


def ring(*names: str) -> KeyRingVault:
    """Return a vault with these keys, the first one sealing."""
    return KeyRingVault({name: KEYS[name] for name in names})


def served(product: Product, storage: PiccoloStorage, vault: KeyRingVault) -> Process:
    """Return a process of the product over this store; what tests arrange goes there as well."""
    product.storage = storage  # type: ignore[assignment]
    product.vault = vault  # type: ignore[assignment]
    return Process(product, "process-1")


class Rotating:
    """A rotation, with what it named."""

    def __init__(self, product: Product, storage: PiccoloStorage, vault: KeyRingVault) -> None:
        self.named: list[Unreadable] = []
        self._rotate = RotateEncryption(
            storage=storage,
            ring=vault,
            clock=product.clock,
            resealing=lambda _column, _resealed: None,
            unreadable=self.named.append,
        )

    async def __call__(self) -> Rotation:
        """Rotate."""
        return await self._rotate()
