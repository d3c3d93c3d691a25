"""Definitions that Piccolo lacks for gaps and repairs: a partial index, and no defaults."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T20:20:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Open gaps"

# Integrations.gaps_after: at any time they are few.
OPEN_GAPS = """
CREATE INDEX calendly_integration_open_gap ON calendly_integration (public_id)
WHERE status = 'active' AND gap_since IS NOT NULL
"""
# A forgotten value is to fail, not to be filled in.
NO_DEFAULTS = (
    "subscription_healthy_at",
    "gap_since",
    "gap_until",
    "repaired_count",
    "last_repaired_at",
)


async def forwards() -> MigrationManager:
    """Create the index and drop the defaults; backwards drops the index."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    await _run(OPEN_GAPS)
    for column in NO_DEFAULTS:
        await _run(f"ALTER TABLE calendly_integration ALTER COLUMN {column} DROP DEFAULT")


async def _backwards() -> None:
    await _run("DROP INDEX calendly_integration_open_gap")


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
