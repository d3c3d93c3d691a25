"""Columns of the cache: its version, its latest read, and the time of the next retry."""

from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import BigInt, Column, Text, Timestamptz
from piccolo.constraints import Check

ID = "2026-11-22T21:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Warm cache"

INTEGRATION = ("CalendlyIntegration", "calendly_integration")
CACHE = ("CalendlyAvailabilityCache", "calendly_availability_cache")


async def forwards() -> MigrationManager:
    """Add the columns and their checks; backwards removes them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    _add(manager, INTEGRATION, "event_types_invalidated_at", Timestamptz)
    _add(manager, INTEGRATION, "event_types_invalidated_by", Text)
    # Zero is what a user starts with whose answers never changed.
    _add(manager, INTEGRATION, "availability_version", BigInt, default=0, null=False)
    _add(manager, INTEGRATION, "availability_read_at", Timestamptz)
    _add(manager, CACHE, "etag", Text)
    _add(manager, CACHE, "read_at", Timestamptz)
    _add(manager, CACHE, "retry_at", Timestamptz)
    _check(
        manager,
        INTEGRATION,
        "event_types_invalidation_whole",
        "(event_types_invalidated_at IS NULL) = (event_types_invalidated_by IS NULL)",
    )
    _check(manager, INTEGRATION, "availability_version_counted", "availability_version >= 0")
    _check(manager, CACHE, "retry_explained", "retry_at IS NULL OR error_code IS NOT NULL")
    return manager


def _add(
    manager: MigrationManager, table: tuple[str, str], name: str, kind: type[Column], **params: Any
) -> None:
    manager.add_column(
        *table,
        column_name=name,
        db_column_name=name,
        column_class_name=kind.__name__,
        column_class=kind,
        params={"default": None, "null": True, **params},
    )


def _check(manager: MigrationManager, table: tuple[str, str], name: str, condition: str) -> None:
    manager.add_constraint(
        *table,
        constraint_name=f"{table[1]}_{name}",
        constraint_class=Check,
        params={"condition": condition},
    )
