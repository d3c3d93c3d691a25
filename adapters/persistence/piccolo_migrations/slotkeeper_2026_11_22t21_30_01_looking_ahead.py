"""Definitions that Piccolo lacks for the cache: no defaults, and an index of future bookings."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T21:30:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Looking ahead"

# A forgotten value is to fail, not to be filled in.
NO_DEFAULTS = (
    ("calendly_integration", "event_types_invalidated_at"),
    ("calendly_integration", "event_types_invalidated_by"),
    ("calendly_integration", "availability_version"),
    ("calendly_integration", "availability_read_at"),
    ("calendly_availability_cache", "etag"),
    ("calendly_availability_cache", "read_at"),
    ("calendly_availability_cache", "retry_at"),
)
# Bookings.occupied and AvailabilityCache.snapshot read future bookings, so the index begins with
# the end of a booking. By its start, a query would read every past booking of a user.
LOOKING_BACK = """
CREATE INDEX calendly_booking_occupied
ON calendly_booking (user_id, start_at, end_at) WHERE status = 'booked'
"""
LOOKING_AHEAD = """
CREATE INDEX calendly_booking_occupied
ON calendly_booking (user_id, end_at, start_at) INCLUDE (integration_id) WHERE status = 'booked'
"""


async def forwards() -> MigrationManager:
    """Drop the defaults and turn the index round; backwards turns it back."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for table, column in NO_DEFAULTS:
        await _run(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    await _run("DROP INDEX calendly_booking_occupied")
    await _run(LOOKING_AHEAD)


async def _backwards() -> None:
    await _run("DROP INDEX calendly_booking_occupied")
    await _run(LOOKING_BACK)


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
