"""A refused grant keeps its tokens and is asked again; each grant names its client.

Besides: whether the answer to an open exchange is known to be missing, and since when an error
or a lack of scopes lasts.

The version before goes on working: it inserts without these columns, and reads no tokens of an
integration that is not active. The check only becomes weaker.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import BigInt, Boolean, Column, Text, Timestamptz
from piccolo.constraints import Check
from piccolo.engine.finder import engine_finder

ID = "2026-12-01T01:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Refusals"

INTEGRATION = ("CalendlyIntegration", "calendly_integration")
COLUMNS: dict[str, type[Column]] = {
    "client_id": Text,
    "refused_at": Timestamptz,
    "refusals": BigInt,
    "exchange_unanswered": Boolean,
    "error_since": Timestamptz,
    "scopes_missing_since": Timestamptz,
}
ERASE_REFUSED = """
UPDATE calendly_integration SET access_token_sealed = NULL, refresh_token_sealed = NULL,
    token_expires_at = NULL, token_version = NULL
WHERE status = 'reauth_required' AND token_version IS NOT NULL
"""


async def forwards() -> MigrationManager:
    """Add the columns and weaken the check; backwards erases the tokens of refused grants."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    manager.add_raw_backwards(_erase_refused)
    for name, column in COLUMNS.items():
        manager.add_column(
            *INTEGRATION,
            column_name=name,
            db_column_name=name,
            column_class_name=column.__name__,
            column_class=column,
            params={"default": None, "null": True},
        )
    manager.add_constraint(
        *INTEGRATION,
        constraint_name="calendly_integration_active_has_tokens",
        constraint_class=Check,
        params={"condition": "status <> 'active' OR token_version IS NOT NULL"},
    )
    manager.drop_constraint(*INTEGRATION, "calendly_integration_tokens_while_active")
    return manager


async def _erase_refused() -> None:
    engine = engine_finder()
    assert engine is not None
    await engine.run_ddl(ERASE_REFUSED)
