"""Make, list and revoke the API keys of the team's own programs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.api_keys import ApiKey
from application.ports.storage.unit_of_work import Storage
from application.security.audit_trail import AuditTrail
from application.security.hashing import digest
from domain.api_key import ALL, KeyScope
from domain.audit import Actor, AuditAction, AuditEntry
from domain.secret import Secret

KEY_PREFIX = "sk_"
SHOWN = 10
UNKNOWN: Final = Actor("unknown")
"""A caller that does not name itself, such as a script of the team."""


@dataclass(frozen=True, kw_only=True)
class ManageApiKeys:
    """A key is shown once, when it is made; afterwards only its hash is known."""

    storage: Storage
    randomness: Randomness
    clock: Clock

    async def create(
        self,
        name: str,
        *,
        scopes: frozenset[KeyScope] = ALL,
        lifetime: timedelta | None = None,
        networks: tuple[str, ...] = (),
        by: Actor = UNKNOWN,
    ) -> tuple[ApiKey, Secret]:
        """Make a key and return it with its record; it cannot be read again.

        Args:
            name: to recognise it by.
            scopes: its rights.
            lifetime: after which it stops working; None: never.
            networks: from which alone it works, in canonical form; none: from everywhere.
            by: the program or person that makes it.

        """
        now = self.clock.now()
        secret = Secret(KEY_PREFIX + self.randomness.token())
        key = ApiKey(
            id=self.randomness.new_id(),
            name=name,
            prefix=secret.reveal()[:SHOWN],
            created_at=now,
            scopes=scopes,
            expires_at=None if lifetime is None else now + lifetime,
            networks=networks,
            created_by=None if by is UNKNOWN else by.name,
        )
        async with self.storage() as uow:
            await uow.api_keys.add(key, digest(secret.reveal()))
            await uow.audit.add(self._entry(AuditAction.KEY_CREATED, key.id, by))
            await uow.commit()
        return key, secret

    async def all(self) -> list[ApiKey]:
        async with self.storage() as uow:
            return await uow.api_keys.all()

    async def revoke(self, key_id: UUID, by: Actor = UNKNOWN) -> bool:
        """Make a key stop working; False when no live key has this id."""
        async with self.storage() as uow:
            revoked = await uow.api_keys.revoke(key_id, self.clock.now())
            if revoked:
                await uow.audit.add(self._entry(AuditAction.KEY_REVOKED, key_id, by))
            await uow.commit()
        return revoked

    def _entry(self, action: AuditAction, key_id: UUID, by: Actor) -> AuditEntry:
        trail = AuditTrail(storage=self.storage, clock=self.clock, randomness=self.randomness)
        return trail.entry(by, action, key_id)
