"""The result of a connect flow that is complete, for a callback that is loaded twice."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import UUID, Timestamptz
from piccolo.columns.base import Column

ID = "2026-12-01T05:03:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Completed flows"

COLUMNS: tuple[tuple[str, type[Column]], ...] = (
    ("connected_id", UUID),
    ("connected_until", Timestamptz),
)


async def forwards() -> MigrationManager:
    """Add the columns; backwards removes them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    for name, kind in COLUMNS:
        manager.add_column(
            table_class_name="CalendlyConnectAttempt",
            tablename="calendly_connect_attempt",
            column_name=name,
            db_column_name=name,
            column_class_name=kind.__name__,
            column_class=kind,
            params={"default": None, "null": True},
        )
    return manager
