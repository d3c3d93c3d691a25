"""The keys in calendly_erasure_key, under which erased people are hashed; sealed by the key ring.

A key is random, and only sealed again when the key ring changes. So the hashes outlive every
rotation. There is one, unless a restored database had made its own before the records of its
predecessor were applied.
"""

from collections.abc import Sequence
from uuid import UUID

from adapters.persistence.session import Session
from application.ports.storage.erasure_archive import SealedErasureKey
from application.ports.vault import Vault
from domain.secret import Secret

# Named after its first use; users are hashed under it too. A key that was brought back beside
# another one has its id behind a colon, and so comes after it.
_PURPOSE = "invitee_email"
_ADD_KEY = """
INSERT INTO calendly_erasure_key (public_id, purpose, key_sealed) VALUES ($1, $2, $3)
ON CONFLICT (purpose) DO NOTHING
"""
_BRING_BACK = """
INSERT INTO calendly_erasure_key (public_id, purpose, key_sealed)
SELECT $1, CASE
    WHEN EXISTS (SELECT 1 FROM calendly_erasure_key WHERE purpose = $2::text)
    THEN $2::text || ':' || $1::uuid ELSE $2::text END, $3
ON CONFLICT DO NOTHING
"""
_KEYS = "SELECT public_id, key_sealed FROM calendly_erasure_key ORDER BY length(purpose), id"


class HashKeys:
    """The opened keys of the hashes, kept for as long as the process has its store open.

    They never change, so that asking for erased addresses takes one statement. A process that runs
    while records are brought back knows their key after its restart.
    """

    def __init__(self) -> None:
        self.opened: tuple[Secret, ...] = ()


class ErasureKeys:
    """The keys within one transaction."""

    def __init__(self, session: Session, vault: Vault, keys: HashKeys) -> None:
        self._session = session
        self._vault = vault
        self._keys = keys
        self._may_be_ours = False

    async def ensure(self, key_id: UUID, new_key: Secret) -> Secret:
        """Return the key of new hashes, which is `new_key` from now on if there was none.

        Raises:
            SealedValueUnreadable: there is a key, and it cannot be opened.

        """
        sealed = self._vault.seal(new_key, _bound_to(key_id))
        await self._session.run(_ADD_KEY, key_id, _PURPOSE, sealed)
        # Read back, as another process may have been first; not kept, as we may yet roll back.
        self._may_be_ours = True
        return (await self._read())[0]

    async def current(self) -> tuple[Secret, ...]:
        """Return all keys, none before the first erasure. Raises SealedValueUnreadable."""
        keys = self._keys.opened or await self._read()
        if not self._may_be_ours:
            self._keys.opened = keys
        return keys

    async def sealed(self) -> Sequence[SealedErasureKey]:
        """Return all keys, the one of new hashes first."""
        rows = await self._session.rows(_KEYS)
        return [SealedErasureKey(row["public_id"], row["key_sealed"]) for row in rows]

    async def add(self, key: SealedErasureKey) -> None:
        """Store a key unless it is stored. Raises SealedValueUnreadable."""
        sealed = self._vault.seal(self.open(key), _bound_to(key.id))
        await self._session.run(_BRING_BACK, key.id, _PURPOSE, sealed)
        self._may_be_ours = True
        self._keys.opened = ()

    def open(self, key: SealedErasureKey) -> Secret:
        """Open a key. Raises SealedValueUnreadable."""
        return self._vault.open(key.sealed, _bound_to(key.id))

    async def _read(self) -> tuple[Secret, ...]:
        return tuple([self.open(each) for each in await self.sealed()])


def _bound_to(key_id: UUID) -> str:
    return f"calendly_erasure_key:{key_id}"
