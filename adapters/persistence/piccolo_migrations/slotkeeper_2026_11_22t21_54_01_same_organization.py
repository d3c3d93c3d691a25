"""The start of existing subscriptions, and an index of bookings by organization."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T21:54:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Same organization"

# A forgotten value is to fail, not to be filled in.
NO_DEFAULT = "ALTER TABLE calendly_integration ALTER COLUMN subscribed_since DROP DEFAULT"
# Of those who are subscribed it is not known since when; onboarding does it right away.
SUBSCRIBED = """
UPDATE calendly_integration SET subscribed_since = connected_at WHERE subscription_key IS NOT NULL
"""
# Bookings.held_elsewhere: a booking that was given to another host.
COLLEAGUES = """
CREATE INDEX calendly_integration_colleagues ON calendly_integration (organization_uri)
"""


async def forwards() -> MigrationManager:
    """Fill the column, drop its default, create the index; backwards drops the index."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for statement in (NO_DEFAULT, SUBSCRIBED, COLLEAGUES):
        await _run(statement)


async def _backwards() -> None:
    await _run("DROP INDEX calendly_integration_colleagues")


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
