"""Sealing secrets for rest."""

from typing import Protocol

from domain.secret import Secret


class Vault(Protocol):
    """Seals and opens secrets under a ring of keys."""

    def seal(self, secret: Secret, bound_to: str) -> str:
        """Return the sealed text under the first key, bound to the row it belongs to.

        The id of that key is between the text's first two dots, so that a store can find the values
        that an older key sealed.

        Args:
            secret: what to seal.
            bound_to: the row's identity; the value opens only for the same one.

        """
        ...

    def open(self, sealed: str, bound_to: str) -> Secret:
        """Return the secret.

        Raises:
            EncryptionKeyUnknown: its key is not in the ring.
            SealedValueCorrupt: it was changed, or belongs to another row.

        """
        ...
