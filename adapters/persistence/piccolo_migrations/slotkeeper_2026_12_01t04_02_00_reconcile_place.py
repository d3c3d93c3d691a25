"""Where an unfinished comparison goes on and why it did not end; the order of comparisons."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Text, Timestamptz
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T04:02:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Place of a comparison"

# Integrations.to_reconcile: the least recently compared first.
CREATE = """
CREATE INDEX calendly_integration_reconcile_turn
ON calendly_integration (coalesce(reconciled_at, '-infinity'::timestamptz), public_id)
WHERE status = 'active'
"""
DROP = "DROP INDEX calendly_integration_reconcile_turn"


async def forwards() -> MigrationManager:
    """Add the columns and the index; backwards removes them. An earlier version ignores them."""
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
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    await _run(CREATE)


async def _backwards() -> None:
    await _run(DROP)


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
