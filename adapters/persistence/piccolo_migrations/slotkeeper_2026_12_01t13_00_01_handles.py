"""Indexes of connect flows: by the hash of a handle, and by the time until which a code is held."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T13:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Handles"

CREATE = (
    # ConnectAttempts.take_held, find_confirmed.
    "CREATE UNIQUE INDEX calendly_connect_attempt_handle ON calendly_connect_attempt"
    " (handle_hash) WHERE handle_hash IS NOT NULL",
    # Expired.prune_held_codes.
    "CREATE INDEX calendly_connect_attempt_held ON calendly_connect_attempt"
    " (held_until) WHERE held_until IS NOT NULL",
)
DROP = (
    "DROP INDEX calendly_connect_attempt_handle",
    "DROP INDEX calendly_connect_attempt_held",
)


async def forwards() -> MigrationManager:
    """Create the indexes; backwards drops them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    await _run(CREATE)


async def _backwards() -> None:
    await _run(DROP)


async def _run(statements: tuple[str, ...]) -> None:
    engine = engine_finder()
    assert engine is not None
    for each in statements:
        await engine.run_ddl(each)
