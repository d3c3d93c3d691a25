"""Columns that keep a grant through races and outages.

A user may have a second integration while the first one is being disconnected: that is how one
Calendly account replaces another.
"""

from typing import Any

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Array, Boolean, Column, ForeignKey, Integer, Text, Timestamptz
from piccolo.constraints import Check

ID = "2026-11-22T19:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Token lifecycle"

ATTEMPT = ("CalendlyConnectAttempt", "calendly_connect_attempt")
BREAKER = ("CalendlyCircuitBreaker", "calendly_circuit_breaker")
INTEGRATION = ("CalendlyIntegration", "calendly_integration")


async def forwards() -> MigrationManager:
    """Add the columns and their checks; backwards removes them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    _add(manager, ATTEMPT, "replaces", Boolean, default=False)
    moments: dict[str, Any] = {"base_column": Timestamptz(), "default": list}
    _add(manager, BREAKER, "failed_at", Array, **moments)
    _add(manager, BREAKER, "open_until", Timestamptz, default=None, null=True)
    _add(manager, INTEGRATION, "breaker_failed_at", Array, **moments)
    _add(manager, INTEGRATION, "breaker_open_until", Timestamptz, default=None, null=True)
    _add(manager, INTEGRATION, "recovered_from", Text, default=None, null=True)
    _add(manager, INTEGRATION, "recovered_at", Timestamptz, default=None, null=True)
    _add(manager, INTEGRATION, "token_requests_since", Timestamptz, default=None, null=True)
    _add(manager, INTEGRATION, "token_requests", Integer, default=0)
    _add(manager, INTEGRATION, "calls_paused_until", Timestamptz, default=None, null=True)
    _check(manager, "recovery_whole", "(recovered_from IS NULL) = (recovered_at IS NULL)")
    _check(manager, "token_requests_counted", "token_requests >= 0")
    manager.alter_column(
        *INTEGRATION,
        column_name="user_id",
        db_column_name="user_id",
        params={"unique": False, "index": True},
        old_params={"unique": True, "index": False},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
    )
    return manager


def _add(
    manager: MigrationManager,
    table: tuple[str, str],
    name: str,
    kind: type[Column],
    *,
    null: bool = False,
    **params: Any,
) -> None:
    manager.add_column(
        *table,
        column_name=name,
        db_column_name=name,
        column_class_name=kind.__name__,
        column_class=kind,
        params={"null": null, **params},
    )


def _check(manager: MigrationManager, name: str, condition: str) -> None:
    manager.add_constraint(
        *INTEGRATION,
        constraint_name=f"calendly_integration_{name}",
        constraint_class=Check,
        params={"condition": condition},
    )
