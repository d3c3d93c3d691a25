"""The index of the refresh job says of a row all that decides, apart from its lease.

The index itself skips any number of rows that were just refreshed or wait for their next attempt.
It leaves out the lease, which changes at every step of a refresh. Each change of an indexed column
adds an entry to every index of the table (PostgreSQL: HOT).
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T19:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Refresh due index"

DROP = "DROP INDEX calendly_integration_refresh_due"
# RefreshQueue.claim_due: the soonest to die first.
CREATE = """
CREATE INDEX calendly_integration_refresh_due ON calendly_integration (
    token_expires_at,
    coalesce(next_refresh_at, '-infinity'),
    coalesce(last_refreshed_at, '-infinity')
) WHERE status = 'active'
"""
CREATE_BEFORE = """
CREATE INDEX calendly_integration_refresh_due
ON calendly_integration (token_expires_at) WHERE status = 'active'
"""


async def forwards() -> MigrationManager:
    """Replace the index; backwards brings the earlier one back."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    await _run(DROP)
    await _run(CREATE)


async def _backwards() -> None:
    await _run(DROP)
    await _run(CREATE_BEFORE)


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
