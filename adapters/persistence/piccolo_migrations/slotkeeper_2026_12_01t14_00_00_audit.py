"""The table of the audit trail."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import UUID, BigSerial, Integer, Text, Timestamptz
from piccolo.table import Table

ID = "2026-12-01T14:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Audit"


class AuditEntry(Table, tablename="audit_entry"):
    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    at = Timestamptz(index=True)
    actor = Text()
    action = Text()
    subject_id = UUID(null=True, default=None)
    affected = Integer(null=True, default=None)
    result = Text()
    request_id = Text(null=True, default=None)


async def forwards() -> MigrationManager:
    """Create the table; backwards drops it. An earlier version does not know it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    name, tablename = AuditEntry.__name__, AuditEntry._meta.tablename
    manager.add_table(name, tablename=tablename)
    for column in AuditEntry._meta.columns:
        manager.add_column(
            table_class_name=name,
            tablename=tablename,
            column_name=column._meta.name,
            column_class=column.__class__,
            params=column._meta.params,
        )
    return manager
