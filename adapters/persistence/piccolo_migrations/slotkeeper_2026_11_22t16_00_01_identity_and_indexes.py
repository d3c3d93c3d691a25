"""Definitions that Piccolo lacks: identity columns, no defaults, partial and composite indexes.

Each index names the query that it serves.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine.finder import engine_finder

ID = "2026-11-22T16:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Identity columns and indexes"

TABLES = (
    "app_user",
    "api_key",
    "calendly_connect_attempt",
    "calendly_integration",
    "calendly_availability_cache",
    "calendly_webhook_event",
    "calendly_booking",
    "calendly_booking_command",
    "calendly_circuit_breaker",
)
# Piccolo gives every column a default; a forgotten one would be stored as an empty text or as
# the server's own time instead of failing.
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
INDEXES = {
    # RefreshQueue.claim_due: the soonest to die first.
    "calendly_integration_refresh_due": """
        ON calendly_integration (token_expires_at) WHERE status = 'active'""",
    # SyncQueue.claim_due: the longest due first.
    "calendly_integration_sync_due": """
        ON calendly_integration (sync_due_at) WHERE status = 'active'""",
    # Integrations.live_after: pages by id.
    "calendly_integration_live": """
        ON calendly_integration (public_id) WHERE status = 'active'""",
    # Integrations.by_accounts.
    "calendly_integration_account": "ON calendly_integration (account_uri)",
    # WebhookEvents.claim_pending: oldest first.
    "calendly_webhook_event_pending": """
        ON calendly_webhook_event (received_at, id) WHERE status = 'pending'""",
    # The foreign key when a user goes.
    "calendly_webhook_event_user": "ON calendly_webhook_event (user_id)",
    # Bookings.page: keyset over (start, id).
    "calendly_booking_page": "ON calendly_booking (user_id, start_at, public_id)",
    # Bookings.occupied.
    "calendly_booking_occupied": """
        ON calendly_booking (user_id, start_at, end_at) WHERE status = 'booked'""",
    "calendly_booking_event": "ON calendly_booking (integration_id, event_uri)",
    # Bookings.related: who names an invitee as predecessor or successor.
    "calendly_booking_predecessor": """
        ON calendly_booking (integration_id, predecessor_uri) WHERE predecessor_uri IS NOT NULL""",
    "calendly_booking_successor": """
        ON calendly_booking (integration_id, successor_uri) WHERE successor_uri IS NOT NULL""",
}


async def forwards() -> MigrationManager:
    """Turn serials into identities, drop defaults, create the indexes; backwards undoes it."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw(_forwards)
    manager.add_raw_backwards(_backwards)
    return manager


async def _forwards() -> None:
    for table in TABLES:
        await _run(DROP_DEFAULTS.format(table=table))
        for statement in TO_IDENTITY:
            await _run(statement.format(table=table))
    for name, definition in INDEXES.items():
        await _run(f"CREATE INDEX {name} {definition}")


async def _backwards() -> None:
    for name in INDEXES:
        await _run(f"DROP INDEX {name}")
    for table in TABLES:
        for statement in TO_SERIAL:
            await _run(statement.format(table=table))


async def _run(statement: str) -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(statement)
