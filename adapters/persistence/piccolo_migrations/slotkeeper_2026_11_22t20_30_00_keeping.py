"""Tables of webhook replays and of invitee erasures."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import (
    UUID,
    BigSerial,
    Bytea,
    ForeignKey,
    Integer,
    OnDelete,
    Text,
    Timestamptz,
)
from piccolo.constraints import Check
from piccolo.table import Table

ID = "2026-11-22T20:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Replays and erasures"


class CalendlyWebhookEvent(Table, tablename="calendly_webhook_event"):
    id = BigSerial(primary_key=True)


class CalendlyWebhookReplay(Table, tablename="calendly_webhook_replay"):
    id = BigSerial(primary_key=True)
    event_id = ForeignKey(CalendlyWebhookEvent, on_delete=OnDelete.cascade, null=False, index=True)
    replayed_at = Timestamptz()
    replayed_by = Text()


class CalendlyErasureKey(Table, tablename="calendly_erasure_key"):
    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    purpose = Text(unique=True)
    key_sealed = Text()


class CalendlyInviteeErasure(Table, tablename="calendly_invitee_erasure"):
    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    email_hash = Bytea(index=True)
    erased_at = Timestamptz()
    requested_by = Text()
    bookings = Integer(null=True, default=None)
    webhook_events = Integer(null=True, default=None)
    unreadable = Integer(null=True, default=None)
    calendly_invitee_erasure_hash_is_sha256 = Check("octet_length(email_hash) = 32")
    calendly_invitee_erasure_counted = Check(
        "bookings >= 0 AND webhook_events >= 0 AND unreadable >= 0"
    )


TABLES = (CalendlyWebhookReplay, CalendlyErasureKey, CalendlyInviteeErasure)


async def forwards() -> MigrationManager:
    """Create the tables with their constraints; backwards drops them."""
    manager = MigrationManager(migration_id=ID, app_name="slotkeeper", description=DESCRIPTION)
    for table in TABLES:
        _add(manager, table)
    return manager


def _add(manager: MigrationManager, table: type[Table]) -> None:
    name, tablename = table.__name__, table._meta.tablename
    manager.add_table(name, tablename=tablename)
    for column in table._meta.columns:
        manager.add_column(
            table_class_name=name,
            tablename=tablename,
            column_name=column._meta.name,
            column_class=column.__class__,
            params=column._meta.params,
        )
    for constraint in table._meta.constraints:
        manager.add_constraint(
            table_class_name=name,
            tablename=tablename,
            constraint_name=constraint._meta.name,
            constraint_class=constraint.__class__,
            params=constraint._meta.params,
        )
