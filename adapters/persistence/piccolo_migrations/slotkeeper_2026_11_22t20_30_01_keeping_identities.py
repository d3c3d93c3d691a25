"""Definitions that Piccolo lacks for replays and erasures: identities, no defaults, an index."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T20:30:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Identities of replays and erasures, index of dead letters"

TABLES = ("calendly_webhook_replay", "calendly_erasure_key", "calendly_invitee_erasure")
# A forgotten value is to fail, not to be filled in.
DROP_DEFAULTS = """
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = '{table}'
        AND column_default IS NOT NULL
    LOOP
        EXECUTE format(
            'ALTER TABLE %I ALTER COLUMN %I DROP DEFAULT', found.table_name, found.column_name
        );
    END LOOP;
END $$
"""
TO_IDENTITY = (
    "DROP SEQUENCE {table}_id_seq",
    "ALTER TABLE {table} ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",
)
TO_SERIAL = (
    "ALTER TABLE {table} ALTER COLUMN id DROP IDENTITY",
    "CREATE SEQUENCE {table}_id_seq OWNED BY {table}.id",
    "ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')",
    "SELECT setval('{table}_id_seq', coalesce((SELECT max(id) FROM {table}), 0) + 1, false)",
)
# WebhookArchive.page and replay_dead_letters. Empty as long as all is well, so it costs nothing
# where webhooks arrive.
DEAD_LETTERS = """
CREATE INDEX calendly_webhook_event_dead_letters ON calendly_webhook_event (public_id)
WHERE status = 'dead_lettered'
"""


async def forwards() -> MigrationManager:
    """Turn serials into identities, drop defaults, create the index; backwards undoes it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for table in TABLES:
        await _run(DROP_DEFAULTS.format(table=table))
        for statement in TO_IDENTITY:
            await _run(statement.format(table=table))
    await _run(DEAD_LETTERS)


async def _backwards() -> None:
    await _run("DROP INDEX calendly_webhook_event_dead_letters")
    for table in TABLES:
        for statement in TO_SERIAL:
            await _run(statement.format(table=table))


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
