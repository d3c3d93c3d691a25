"""Columns about lost webhooks: since when some may be missing, and how many were repaired."""

from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import BigInt, Column, Timestamptz
from piccolo.constraints import Check

ID = "2026-11-22T20:20:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Gaps and repairs"

INTEGRATION = ("CalendlyIntegration", "calendly_integration")


async def forwards() -> MigrationManager:
    """Add the columns and their checks; backwards removes them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    for moment in ("subscription_healthy_at", "gap_since", "gap_until", "last_repaired_at"):
        _add(manager, moment, Timestamptz, null=True, default=None)
    _add(manager, "repaired_count", BigInt, null=True, default=None)
    _check(manager, "gap_whole", "(gap_since IS NULL) = (gap_until IS NULL)")
    _check(
        manager,
        "repairs_counted",
        "repaired_count > 0 AND (repaired_count IS NULL) = (last_repaired_at IS NULL)",
    )
    return manager


def _add(manager: MigrationManager, name: str, kind: type[Column], **params: Any) -> None:
    manager.add_column(
        *INTEGRATION,
        column_name=name,
        db_column_name=name,
        column_class_name=kind.__name__,
        column_class=kind,
        params=params,
    )


def _check(manager: MigrationManager, name: str, condition: str) -> None:
    manager.add_constraint(
        *INTEGRATION,
        constraint_name=f"calendly_integration_{name}",
        constraint_class=Check,
        params={"condition": condition},
    )
