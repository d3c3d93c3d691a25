"""How many records of a cached list could not be read; unknown for entries stored before."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Integer

ID = "2026-12-01T04:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Skipped records"


async def forwards() -> MigrationManager:
    """Add the column; backwards removes it. An earlier version leaves it as it is."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_column(
        table_class_name="CalendlyAvailabilityCache",
        tablename="calendly_availability_cache",
        column_name="skipped",
        db_column_name="skipped",
        column_class_name="Integer",
        column_class=Integer,
        params={"default": None, "null": True},
    )
    return manager
