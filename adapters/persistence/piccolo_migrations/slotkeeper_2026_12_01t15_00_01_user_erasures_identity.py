"""Definitions that Piccolo lacks for erasures of users: an identity, and no defaults."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T15:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Identity of erasures of users"

TABLE = "calendly_user_erasure"
# A forgotten value is to fail, not to be filled in.
DROP_DEFAULTS = f"""
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = '{TABLE}'
        AND column_default IS NOT NULL
    LOOP
        EXECUTE format(
            'ALTER TABLE %I ALTER COLUMN %I DROP DEFAULT', found.table_name, found.column_name
        );
    END LOOP;
END $$
"""
TO_IDENTITY = (
    f"DROP SEQUENCE {TABLE}_id_seq",
    f"ALTER TABLE {TABLE} ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",
)
TO_SERIAL = (
    f"ALTER TABLE {TABLE} ALTER COLUMN id DROP IDENTITY",
    f"CREATE SEQUENCE {TABLE}_id_seq OWNED BY {TABLE}.id",
    f"ALTER TABLE {TABLE} ALTER COLUMN id SET DEFAULT nextval('{TABLE}_id_seq')",
    f"SELECT setval('{TABLE}_id_seq', coalesce((SELECT max(id) FROM {TABLE}), 0) + 1, false)",
)


async def forwards() -> MigrationManager:
    """Turn the serial into an identity and drop defaults; backwards undoes it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for statement in (DROP_DEFAULTS, *TO_IDENTITY):
        await _run(statement)


async def _backwards() -> None:
    for statement in TO_SERIAL:
        await _run(statement)


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
