"""The table of the audit trail; `adapters.persistence.tables.core` has the rules."""

from piccolo.columns import UUID, BigSerial, Integer, Text, Timestamptz
from piccolo.table import Table

from adapters.persistence.engine import ENGINE


class AuditEntry(Table, tablename="audit_entry", db=ENGINE):
    """Acts of operators and of the command line; a trigger refuses changes."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    at = Timestamptz(index=True)
    actor = Text()
    action = Text()
    subject_id = UUID(null=True, default=None)
    affected = Integer(null=True, default=None)
    result = Text()
    request_id = Text(null=True, default=None)
