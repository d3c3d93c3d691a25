"""The clock of leases, claims and retry times: PostgreSQL's own, for every process."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "One clock"

# Hosts' clocks differ, so a statement takes this time and not the caller's. A test moves the time
# in one place: with `slotkeeper.clock = 'caller'` in its session the caller's time counts. It is
# declared stable, so that an index serves a comparison with it; two calls in one statement may
# differ by the time between them.
CREATE = """
CREATE OR REPLACE FUNCTION slotkeeper_now(caller timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN current_setting('slotkeeper.clock', true) = 'caller'
        THEN caller ELSE clock_timestamp() END
$$
"""
DROP = "DROP FUNCTION IF EXISTS slotkeeper_now(timestamptz)"


async def forwards() -> MigrationManager:
    """Create the function; backwards drops it."""
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
