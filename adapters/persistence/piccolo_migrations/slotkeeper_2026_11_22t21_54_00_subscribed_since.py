"""Since when an integration has a webhook subscription: nothing before it was lost."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Timestamptz

ID = "2026-11-22T21:54:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Subscribed since"


async def forwards() -> MigrationManager:
    """Add the column; backwards removes it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_column(
        table_class_name="CalendlyIntegration",
        tablename="calendly_integration",
        column_name="subscribed_since",
        db_column_name="subscribed_since",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={"default": None, "null": True},
    )
    return manager
