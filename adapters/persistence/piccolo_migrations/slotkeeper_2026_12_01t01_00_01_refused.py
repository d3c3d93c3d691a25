"""Indexes of refused grants: the latest refusals, and those whose time to be asked has come."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T01:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Refused"

INDEXES = {
    # RefreshQueue.recent_outcomes: the latest refusals.
    "calendly_integration_refused": "(refused_at) WHERE refused_at IS NOT NULL",
    # RefreshQueue.claim_refused: the longest due first.
    "calendly_integration_asked_again": (
        "(next_refresh_at) WHERE status = 'reauth_required' AND token_version IS NOT NULL"
    ),
}


async def forwards() -> MigrationManager:
    """Create the indexes; backwards drops them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for name, columns in INDEXES.items():
        await _run(f"CREATE INDEX {name} ON calendly_integration {columns}")


async def _backwards() -> None:
    for name in INDEXES:
        await _run(f"DROP INDEX {name}")


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
