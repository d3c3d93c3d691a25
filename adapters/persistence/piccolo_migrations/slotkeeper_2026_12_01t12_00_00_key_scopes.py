"""Scopes, expiry, last use, maker and networks of an API key."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Text, Timestamptz
from piccolo.columns.base import Column

ID = "2026-12-01T12:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Key scopes"

COLUMNS: tuple[tuple[str, type[Column]], ...] = (
    ("expires_at", Timestamptz),
    ("last_used_at", Timestamptz),
    ("created_by", Text),
    ("scopes", Text),
    ("networks", Text),
)


async def forwards() -> MigrationManager:
    """Add the columns; backwards removes them. An earlier version ignores them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    for name, kind in COLUMNS:
        manager.add_column(
            table_class_name="ApiKey",
            tablename="api_key",
            column_name=name,
            db_column_name=name,
            column_class_name=kind.__name__,
            column_class=kind,
            params={"default": None, "null": True},
        )
    return manager
