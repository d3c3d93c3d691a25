"""An index that finds the webhook events of one user that are still pending."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T21:55:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Pending of user"

# CacheLookup.read, AvailabilityCache.entries and VersionLookup.current: a user's latest, if any.
PENDING = """
CREATE INDEX calendly_webhook_event_pending_of_user
ON calendly_webhook_event (user_id, received_at)
WHERE status = 'pending' AND user_id IS NOT NULL
"""


async def forwards() -> MigrationManager:
    """Create the index; backwards drops it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    await _run(PENDING)


async def _backwards() -> None:
    await _run("DROP INDEX calendly_webhook_event_pending_of_user")


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
