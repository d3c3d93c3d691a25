"""The sealed code of a connect flow that waits for the confirmation of its user.

An earlier version does not take such a flow: its `expires_at` is in the past.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Bytea, Text, Timestamptz
from piccolo.columns.base import Column
from piccolo.constraints import Check

ID = "2026-12-01T13:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Held codes"

ATTEMPT = ("CalendlyConnectAttempt", "calendly_connect_attempt")
COLUMNS: tuple[tuple[str, type[Column]], ...] = (
    ("code_sealed", Text),
    ("handle_hash", Bytea),
    ("held_until", Timestamptz),
)


async def forwards() -> MigrationManager:
    """Add the columns and their check; backwards removes them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    for name, kind in COLUMNS:
        manager.add_column(
            *ATTEMPT,
            column_name=name,
            db_column_name=name,
            column_class_name=kind.__name__,
            column_class=kind,
            params={"default": None, "null": True},
        )
    manager.add_constraint(
        *ATTEMPT,
        constraint_name="calendly_connect_attempt_held_is_whole",
        constraint_class=Check,
        params={
            "condition": (
                "(code_sealed IS NULL OR (handle_hash IS NOT NULL AND held_until IS NOT NULL))"
                " AND (handle_hash IS NULL OR octet_length(handle_hash) = 32)"
            )
        },
    )
    return manager
