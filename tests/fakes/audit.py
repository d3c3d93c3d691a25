"""The audit trail in memory."""

from uuid import UUID

from domain.audit import AuditEntry
from tests.fakes.state import State


class FakeAudit:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, entry: AuditEntry) -> None:
        self._state.audit[entry.id] = entry

    async def page(self, limit: int, before: UUID | None = None) -> list[AuditEntry]:
        latest = list(reversed(self._state.audit.values()))
        if before is None:
            return latest[:limit]
        ids = [each.id for each in latest]
        return latest[ids.index(before) + 1 :][:limit] if before in ids else []
