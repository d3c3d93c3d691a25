"""Definitions that Piccolo lacks for the token lifecycle: a partial unique index, no defaults."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T19:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "One staying integration a user"

# Integrations.put_connected: of two connects of a user the second one overwrites the first.
ONE_STAYING = """
CREATE UNIQUE INDEX calendly_integration_one_staying ON calendly_integration (user_id)
WHERE status <> 'disconnecting'
"""
# A forgotten value is to fail, not to be filled in.
NO_DEFAULTS = (
    ("calendly_connect_attempt", "replaces"),
    ("calendly_circuit_breaker", "failed_at"),
    ("calendly_circuit_breaker", "open_until"),
    ("calendly_integration", "breaker_failed_at"),
    ("calendly_integration", "breaker_open_until"),
    ("calendly_integration", "recovered_from"),
    ("calendly_integration", "recovered_at"),
    ("calendly_integration", "token_requests_since"),
    ("calendly_integration", "token_requests"),
    ("calendly_integration", "calls_paused_until"),
)


async def forwards() -> MigrationManager:
    """Create the index and drop the defaults; backwards drops the index."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    await _run(ONE_STAYING)
    for table, column in NO_DEFAULTS:
        await _run(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")


async def _backwards() -> None:
    await _run("DROP INDEX calendly_integration_one_staying")


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
