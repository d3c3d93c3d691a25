"""The table of erased users."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import UUID, BigSerial, Bytea, ForeignKey, OnDelete, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.table import Table

ID = "2026-12-01T15:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Erasures of users"


class AppUser(Table, tablename="app_user"):
    id = BigSerial(primary_key=True)


class CalendlyUserErasure(Table, tablename="calendly_user_erasure"):
    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    user_hash = Bytea(index=True)
    erased_at = Timestamptz()
    requested_by = Text()
    user_id = ForeignKey(AppUser, on_delete=OnDelete.set_null, null=True, default=None, index=True)
    calendly_user_erasure_hash_is_sha256 = Check("octet_length(user_hash) = 32")


async def forwards() -> MigrationManager:
    """Create the table; backwards drops it. An earlier version does not use it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    name, tablename = CalendlyUserErasure.__name__, CalendlyUserErasure._meta.tablename
    manager.add_table(name, tablename=tablename)
    for column in CalendlyUserErasure._meta.columns:
        manager.add_column(
            table_class_name=name,
            tablename=tablename,
            column_name=column._meta.name,
            column_class=column.__class__,
            params=column._meta.params,
        )
    for constraint in CalendlyUserErasure._meta.constraints:
        manager.add_constraint(
            table_class_name=name,
            tablename=tablename,
            constraint_name=constraint._meta.name,
            constraint_class=constraint.__class__,
            params=constraint._meta.params,
        )
    return manager
