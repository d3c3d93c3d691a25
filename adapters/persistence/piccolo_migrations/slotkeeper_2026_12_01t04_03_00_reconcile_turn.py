"""The order of comparisons, as indexes: the least recently compared first."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T04:03:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Order of comparisons"

# Integrations.to_reconcile: the least recently compared first, of all and of the unfinished ones.
FORWARDS = (
    """
    CREATE INDEX calendly_integration_reconcile_turn
    ON calendly_integration (coalesce(reconciled_at, '-infinity'::timestamptz), public_id)
    WHERE status = 'active'
    """,
    """
    CREATE INDEX calendly_integration_unfinished
    ON calendly_integration (coalesce(reconciled_at, '-infinity'::timestamptz), public_id)
    WHERE status = 'active' AND (gap_since IS NOT NULL OR reconcile_from IS NOT NULL)
    """,
    # The order by id alone is not read any more.
    "DROP INDEX calendly_integration_open_gap",
)
BACKWARDS = (
    """
    CREATE INDEX calendly_integration_open_gap ON calendly_integration (public_id)
    WHERE status = 'active' AND gap_since IS NOT NULL
    """,
    "DROP INDEX calendly_integration_reconcile_turn",
    "DROP INDEX calendly_integration_unfinished",
)


async def forwards() -> MigrationManager:
    """Create the indexes and drop the one they replace; backwards does the opposite."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for statement in FORWARDS:
        await _run(statement)


async def _backwards() -> None:
    for statement in BACKWARDS:
        await _run(statement)


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
