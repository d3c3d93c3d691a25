"""The audit trail, which only grows until its retention ends."""

from typing import Protocol
from uuid import UUID

from domain.audit import AuditEntry


class Audit(Protocol):
    """Writes entries in the transaction of the act, and reads them."""

    async def add(self, entry: AuditEntry) -> None:
        """Append one entry; it counts when the unit of work commits."""
        ...

    async def page(self, limit: int, before: UUID | None = None) -> list[AuditEntry]:
        """Return up to `limit` entries, the latest first; those stored before the one named."""
        ...
