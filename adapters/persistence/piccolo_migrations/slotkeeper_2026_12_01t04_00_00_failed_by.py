"""Whose call each failure of a shared breaker was, so that one account opens none."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Array, Text

ID = "2026-12-01T04:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Failed by"


async def forwards() -> MigrationManager:
    """Add the column; backwards removes it. An earlier version leaves it as it is."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_column(
        table_class_name="CalendlyCircuitBreaker",
        tablename="calendly_circuit_breaker",
        column_name="failed_by",
        db_column_name="failed_by",
        column_class_name="Array",
        column_class=Array,
        params={"base_column": Text(), "default": None, "null": True},
    )
    return manager
