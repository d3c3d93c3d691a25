"""The audit trail in audit_entry; a trigger refuses to change it."""

from uuid import UUID

from adapters.persistence.session import Session
from application.ports.storage.audit import Audit
from domain.audit import AuditEntry

_ADD = """
INSERT INTO audit_entry
    (public_id, at, actor, action, subject_id, affected, result, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
# By the order in which they were stored: clocks of hosts differ. One bound for both shapes, so that
# a page deep in the trail is a range of the index.
_PAGE = """
SELECT public_id, at, actor, action, subject_id, affected, result, request_id FROM audit_entry
WHERE id < CASE WHEN $2::uuid IS NULL THEN 9223372036854775807
    ELSE (SELECT id FROM audit_entry WHERE public_id = $2) END
ORDER BY id DESC LIMIT $1
"""


class PiccoloAudit(Audit):
    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, entry: AuditEntry) -> None:
        await self._session.run(
            _ADD,
            entry.id,
            entry.at,
            entry.actor,
            entry.action,
            entry.subject_id,
            entry.affected,
            entry.result,
            entry.request_id,
        )

    async def page(self, limit: int, before: UUID | None = None) -> list[AuditEntry]:
        return [AuditEntry(*row) for row in await self._session.rows(_PAGE, limit, before)]
