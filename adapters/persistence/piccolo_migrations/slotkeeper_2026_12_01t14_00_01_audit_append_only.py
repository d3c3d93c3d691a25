"""The identity of the audit trail, and the triggers that keep it append-only."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T14:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Audit is append-only"

# A forgotten value is to fail, not to be filled in.
DROP_DEFAULTS = """
ALTER TABLE audit_entry
    ALTER COLUMN id DROP DEFAULT, ALTER COLUMN public_id DROP DEFAULT,
    ALTER COLUMN at DROP DEFAULT, ALTER COLUMN actor DROP DEFAULT,
    ALTER COLUMN action DROP DEFAULT, ALTER COLUMN subject_id DROP DEFAULT,
    ALTER COLUMN affected DROP DEFAULT, ALTER COLUMN result DROP DEFAULT,
    ALTER COLUMN request_id DROP DEFAULT
"""
# A trigger and not a revoked right: the service's role owns its tables, and an owner has every
# right on them. Entries older than 30 days may be deleted, for a retention. The time is PostgreSQL's, so that no setting of a session moves it.
CREATE_FUNCTION = """
CREATE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < clock_timestamp() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_entry is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
CREATE_TRIGGERS = (
    "CREATE TRIGGER audit_entry_rows BEFORE UPDATE OR DELETE ON audit_entry"
    " FOR EACH ROW EXECUTE FUNCTION audit_entry_append_only()",
    "CREATE TRIGGER audit_entry_truncate BEFORE TRUNCATE ON audit_entry"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_append_only()",
)
FORWARDS = (
    DROP_DEFAULTS,
    "DROP SEQUENCE audit_entry_id_seq",
    "ALTER TABLE audit_entry ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY",
    CREATE_FUNCTION,
    *CREATE_TRIGGERS,
)
BACKWARDS = (
    "DROP TRIGGER audit_entry_truncate ON audit_entry",
    "DROP TRIGGER audit_entry_rows ON audit_entry",
    "DROP FUNCTION audit_entry_append_only()",
    "ALTER TABLE audit_entry ALTER COLUMN id DROP IDENTITY",
    "CREATE SEQUENCE audit_entry_id_seq OWNED BY audit_entry.id",
    "ALTER TABLE audit_entry ALTER COLUMN id SET DEFAULT nextval('audit_entry_id_seq')",
    "SELECT setval('audit_entry_id_seq',"
    " coalesce((SELECT max(id) FROM audit_entry), 0) + 1, false)",
)


async def forwards() -> MigrationManager:
    """Make the table append-only; backwards undoes it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    await _run(FORWARDS)


async def _backwards() -> None:
    await _run(BACKWARDS)


async def _run(statements: tuple[str, ...]) -> None:
    engine = engine_finder()
    assert engine is not None
    for statement in statements:
        await engine.run_ddl(statement)
