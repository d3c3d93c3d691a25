"""A vault whose keys are visible by id, for key rotation."""

from typing import Protocol

from application.ports.vault import Vault


class KeyRing(Vault, Protocol):
    """A vault that says which key sealed what; never the keys themselves."""

    @property
    def sealing_key_id(self) -> str:
        """The id of the first key, which seals."""
        ...

    def key_id(self, sealed: str) -> str:
        """Return the id of the key that sealed a text, in the ring or not.

        Raises:
            SealedValueCorrupt: the text has not the form of a sealed one.

        """
        ...
