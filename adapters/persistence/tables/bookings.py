"""The tables of bookings; see `adapters.persistence.tables.core` for the rules of all tables."""

from piccolo.columns import (
    UUID,
    Array,
    BigSerial,
    Boolean,
    Bytea,
    ForeignKey,
    OnDelete,
    Text,
    Timestamptz,
)
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from adapters.persistence.engine import ENGINE
from adapters.persistence.tables.core import AppUser, CalendlyIntegration


class CalendlyBooking(Table, tablename="calendly_booking", db=ENGINE):
    """One invitee's seat at one scheduled event."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    user_id = ForeignKey(AppUser, on_delete=OnDelete.cascade, null=False)
    integration_id = ForeignKey(CalendlyIntegration, on_delete=OnDelete.cascade, null=False)
    invitee_uri = Text()
    event_uri = Text()
    status = Text()
    created_at = Timestamptz()
    updated_at = Timestamptz()
    event_type_uri = Text(null=True, default=None)
    event_name = Text()
    start_at = Timestamptz()
    end_at = Timestamptz()
    invitee_name = Text()
    invitee_email = Text()
    invitee_timezone = Text(null=True, default=None)
    location_kind = Text(null=True, default=None)
    location_text = Text(null=True, default=None)
    location_join_url = Text(null=True, default=None)
    host_uris = Array(base_column=Text())
    calendar_event_id = Text(null=True, default=None)
    canceled_at = Timestamptz(null=True, default=None)
    canceled_by = Text(null=True, default=None)
    canceled_by_kind = Text(null=True, default=None)
    cancel_reason = Text(null=True, default=None)
    predecessor_uri = Text(null=True, default=None)
    successor_uri = Text(null=True, default=None)
    no_show_at = Timestamptz(null=True, default=None)
    no_show_uri = Text(null=True, default=None)
    reference = Text(null=True, default=None)
    cancel_link_sealed = Text(null=True, default=None)
    reschedule_link_sealed = Text(null=True, default=None)
    event_canceled_at = Timestamptz(null=True, default=None)
    calendly_booking_one_row_an_invitee = Unique([integration_id, invitee_uri])
    calendly_booking_status_known = Check("status IN ('booked', 'canceled', 'rescheduled')")
    calendly_booking_cancellation_whole = Check(
        "num_nulls(canceled_at, canceled_by, canceled_by_kind) IN (0, 3)"
        " AND (canceled_at IS NOT NULL OR cancel_reason IS NULL)"
    )
    calendly_booking_location_named = Check(
        "location_kind IS NOT NULL OR (location_text IS NULL AND location_join_url IS NULL)"
    )
    calendly_booking_no_show_dated = Check("no_show_at IS NOT NULL OR no_show_uri IS NULL")


class CalendlyBookingCommand(Table, tablename="calendly_booking_command", db=ENGINE):
    """Acting requests by Idempotency-Key. The booking is named, not referenced: it may go."""

    id = BigSerial(primary_key=True)
    public_id = UUID(unique=True)
    user_id = ForeignKey(AppUser, on_delete=OnDelete.cascade, null=False)
    key = Text()
    operation = Text()
    fingerprint = Bytea()
    started_at = Timestamptz()
    lease_until = Timestamptz()
    sent = Boolean(default=False)
    done_at = Timestamptz(null=True, default=None)
    booking_id = UUID(null=True, default=None)
    calendly_booking_command_one_row_a_key = Unique([user_id, key])
    calendly_booking_command_operation_known = Check(
        "operation IN ('book', 'cancel', 'mark_no_show', 'clear_no_show')"
    )
    calendly_booking_command_fingerprint_is_sha256 = Check("octet_length(fingerprint) = 32")
    calendly_booking_command_done_names_booking = Check(
        "done_at IS NULL OR booking_id IS NOT NULL"
    )
