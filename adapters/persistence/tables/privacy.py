"""The tables of what was replayed and erased; `adapters.persistence.tables.core` has the rules."""

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

from adapters.persistence.engine import ENGINE
from adapters.persistence.tables.core import AppUser, CalendlyWebhookEvent


class CalendlyWebhookReplay(Table, tablename="calendly_webhook_replay", db=ENGINE):
    """Replays of stored webhooks; deleted with the event."""

    id = BigSerial(primary_key=True)
    event_id = ForeignKey(CalendlyWebhookEvent, on_delete=OnDelete.cascade, null=False, index=True)
    replayed_at = Timestamptz()
    replayed_by = Text()


class CalendlyErasureKey(Table, tablename="calendly_erasure_key", db=ENGINE):
    """The one key under which the addresses of erased invitees are hashed."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    purpose = Text(unique=True)
    key_sealed = Text()


class CalendlyInviteeErasure(Table, tablename="calendly_invitee_erasure", db=ENGINE):
    """Erased invitees, by hash alone, with the counts of each erasure."""

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


class CalendlyUserErasure(Table, tablename="calendly_user_erasure", db=ENGINE):
    """Erased users, by hash alone; `user_id` is set until the user's row is deleted."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    user_hash = Bytea(index=True)
    erased_at = Timestamptz()
    requested_by = Text()
    user_id = ForeignKey(AppUser, on_delete=OnDelete.set_null, null=True, default=None, index=True)
    calendly_user_erasure_hash_is_sha256 = Check("octet_length(user_hash) = 32")
