"""The key in calendly_erasure_key, under which erased people are hashed; sealed by the key ring.

It is random, and only sealed again when the key ring changes. So the hashes outlive every rotation.
"""

from uuid import UUID

from adapters.persistence.session import Session
from application.ports.vault import Vault
from domain.secret import Secret

# Named after its first use; users are hashed under it too.
_PURPOSE = "invitee_email"
_ADD_KEY = """
INSERT INTO calendly_erasure_key (public_id, purpose, key_sealed) VALUES ($1, $2, $3)
ON CONFLICT (purpose) DO NOTHING
"""
_KEY = "SELECT public_id, key_sealed FROM calendly_erasure_key WHERE purpose = $1"


class HashKey:
    """The opened key of the hashes, kept for as long as the process has its store open.

    It is made once and never changes, so that asking for erased addresses takes one statement.
    """

    def __init__(self) -> None:
        self.opened: Secret | None = None


class ErasureKeys:
    """The key within one transaction."""

    def __init__(self, session: Session, vault: Vault, key: HashKey) -> None:
        self._session = session
        self._vault = vault
        self._key = key
        self._may_be_ours = False

    async def ensure(self, key_id: UUID, new_key: Secret) -> Secret:
        """Return the key, which is `new_key` from now on if there was none.

        Raises:
            SealedValueUnreadable: there is a key, and it cannot be opened.

        """
        sealed = self._vault.seal(new_key, _bound_to(key_id))
        await self._session.run(_ADD_KEY, key_id, _PURPOSE, sealed)
        # Read back, as another process may have been first; not kept, as we may yet roll back.
        self._may_be_ours = True
        return await self._read() or new_key

    async def current(self) -> Secret | None:
        """Return the key, or None before the first erasure. Raises SealedValueUnreadable."""
        key = self._key.opened or await self._read()
        if key is not None and not self._may_be_ours:
            self._key.opened = key
        return key

    async def _read(self) -> Secret | None:
        row = await self._session.row(_KEY, _PURPOSE)
        if row is None:
            return None
        return self._vault.open(row["key_sealed"], _bound_to(row["public_id"]))


def _bound_to(key_id: UUID) -> str:
    return f"calendly_erasure_key:{key_id}"
