"""Writing the audit trail: who did what, to what, when.

A deed adds its entry in its own transaction, so that neither is stored without the other. A look
at data has no transaction; its entry is stored before the data is shown.
"""

from dataclasses import dataclass
from uuid import UUID

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.unit_of_work import Storage
from domain.audit import Actor, AuditAction, AuditEntry


@dataclass(frozen=True, kw_only=True)
class AuditTrail:
    """Makes, stores and lists entries."""

    storage: Storage
    clock: Clock
    randomness: Randomness

    def entry(
        self,
        by: Actor,
        action: AuditAction,
        subject_id: UUID | None = None,
        *,
        affected: int | None = None,
    ) -> AuditEntry:
        """Return an entry for the transaction of a deed.

        Args:
            by: the program or person.
            action: the deed.
            subject_id: the public id of its object, or None for many.
            affected: how many objects it changed, where it is more than the subject.

        """
        return AuditEntry(
            id=self.randomness.new_id(),
            at=self.clock.now(),
            actor=by.name,
            action=action,
            subject_id=subject_id,
            affected=affected,
            request_id=by.request_id,
        )

    async def record(
        self,
        by: Actor,
        action: AuditAction,
        subject_id: UUID | None = None,
        *,
        affected: int | None = None,
    ) -> None:
        """Store an entry now; see `entry`. Raises StorageUnavailable."""
        async with self.storage() as uow:
            await uow.audit.add(self.entry(by, action, subject_id, affected=affected))
            await uow.commit()

    async def page(self, limit: int, before: UUID | None = None) -> list[AuditEntry]:
        """Return up to `limit` entries, the latest first; those stored before the one named."""
        async with self.storage() as uow:
            return await uow.audit.page(limit, before)
