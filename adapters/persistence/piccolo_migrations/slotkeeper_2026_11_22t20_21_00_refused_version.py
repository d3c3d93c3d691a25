"""Which token version Calendly refused: only the pair that came from it may still be stored."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import BigInt

ID = "2026-11-22T20:21:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Refused version"


async def forwards() -> MigrationManager:
    """Add the column; backwards removes it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_column(
        table_class_name="CalendlyIntegration",
        tablename="calendly_integration",
        column_name="refused_version",
        db_column_name="refused_version",
        column_class_name="BigInt",
        column_class=BigInt,
        params={"default": None, "null": True},
    )
    return manager
