"""When a booking's whole event was canceled: one delivery may report it for all invitees."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Timestamptz

ID = "2026-12-01T05:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Canceled events"


async def forwards() -> MigrationManager:
    """Add the column; backwards removes it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_column(
        table_class_name="CalendlyBooking",
        tablename="calendly_booking",
        column_name="event_canceled_at",
        db_column_name="event_canceled_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={"default": None, "null": True},
    )
    return manager
