"""Where an unfinished comparison goes on, and why it did not end."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Text, Timestamptz

ID = "2026-12-01T04:02:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Place of a comparison"


async def forwards() -> MigrationManager:
    """Add the columns; backwards removes them. An earlier version ignores them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_column(
        table_class_name="CalendlyIntegration",
        tablename="calendly_integration",
        column_name="reconcile_from",
        db_column_name="reconcile_from",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={"default": None, "null": True},
    )
    manager.add_column(
        table_class_name="CalendlyIntegration",
        tablename="calendly_integration",
        column_name="reconcile_error",
        db_column_name="reconcile_error",
        column_class_name="Text",
        column_class=Text,
        params={"default": None, "null": True},
    )
    return manager
