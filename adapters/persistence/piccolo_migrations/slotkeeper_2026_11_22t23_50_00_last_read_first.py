"""An index that sorts due integrations by their latest read; it serves any number of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T23:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Last read first"

# SyncQueue.claim_due when many are due: a page of them, without sorting them all.
CREATE = """
CREATE INDEX calendly_integration_sync_turn
ON calendly_integration (availability_read_at DESC NULLS LAST, sync_due_at)
WHERE status = 'active'
"""
DROP = "DROP INDEX calendly_integration_sync_turn"


async def forwards() -> MigrationManager:
    """Create the index; backwards drops it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
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
