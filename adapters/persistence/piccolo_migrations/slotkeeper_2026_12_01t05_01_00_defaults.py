"""Database defaults for required columns that the first version of the code does not write.

During a deploy the previous version inserts rows into the new schema. Without a default each of its
inserts fails.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T05:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Defaults"

DEFAULTS = (
    ("calendly_connect_attempt", "replaces", "false"),
    ("calendly_circuit_breaker", "failed_at", "'{}'"),
    ("calendly_integration", "breaker_failed_at", "'{}'"),
    ("calendly_integration", "token_requests", "0"),
    ("calendly_integration", "availability_version", "0"),
)


async def forwards() -> MigrationManager:
    """Set the defaults; backwards drops them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for table, column, value in DEFAULTS:
        await _run(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}")


async def _backwards() -> None:
    for table, column, _ in DEFAULTS:
        await _run(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
