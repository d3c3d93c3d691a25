"""A row of calendly_booking as a Booking, and back.

The links are sealed for their invitee, not for the row's id. If two transactions store the same
invitee at the same time, the row's id may not be the writer's.
"""

from typing import Any

from application.ports.vault import Vault
from domain.booking import (
    Booking,
    BookingStatus,
    Cancellation,
    Details,
    Facts,
    Invitee,
    Links,
    Location,
    NoShow,
)
from domain.errors import SealedValueUnreadable
from domain.ids import BookingId, IntegrationId, UserId
from domain.secret import Secret

# Every statement that returns bookings reads `b` with its user `u` and its integration `i`.
COLUMNS = "b.*, u.public_id AS user_public_id, i.public_id AS integration_public_id"

# The columns of `to_values`, in this order.
FACT_COLUMNS = (
    "invitee_uri",
    "event_uri",
    "status",
    "created_at",
    "updated_at",
    "event_type_uri",
    "event_name",
    "start_at",
    "end_at",
    "invitee_name",
    "invitee_email",
    "invitee_timezone",
    "location_kind",
    "location_text",
    "location_join_url",
    "host_uris",
    "calendar_event_id",
    "canceled_at",
    "canceled_by",
    "canceled_by_kind",
    "cancel_reason",
    "predecessor_uri",
    "successor_uri",
    "no_show_at",
    "no_show_uri",
    "reference",
    "cancel_link_sealed",
    "reschedule_link_sealed",
    "event_canceled_at",
)


def to_booking(row: Any, vault: Vault) -> Booking:
    """Return the row as a booking; links that cannot be decrypted are left out."""
    integration_id = IntegrationId(row["integration_public_id"])
    return Booking(
        id=BookingId(row["public_id"]),
        user_id=UserId(row["user_public_id"]),
        integration_id=integration_id,
        facts=_facts(row, _links(row, integration_id, vault)),
    )


def to_values(booking: Booking, vault: Vault) -> tuple[object, ...]:
    """Return the values of FACT_COLUMNS."""
    facts, details = booking.facts, booking.facts.details
    values = (
        facts.invitee_uri,
        facts.event_uri,
        str(facts.status),
        facts.created_at,
        details.updated_at,
        details.event_type_uri,
        details.event_name,
        details.start,
        details.end,
        details.invitee.name,
        details.invitee.email,
        details.invitee.timezone,
        *_location_values(details.location),
        list(details.host_uris),
        details.calendar_event_id,
        *_cancellation_values(facts.cancellation),
        facts.predecessor,
        facts.successor,
        *_no_show_values(facts.no_show),
        facts.reference,
        *_sealed_links(booking, vault),
        facts.event_canceled_at,
    )
    return tuple(_storable(value) for value in values)


def _storable(value: object) -> object:
    """Replace NUL, which PostgreSQL does not store: an invitee may have typed it."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


def _facts(row: Any, links: Links) -> Facts:
    return Facts(
        invitee_uri=row["invitee_uri"],
        event_uri=row["event_uri"],
        status=BookingStatus(row["status"]),
        created_at=row["created_at"],
        details=_details(row),
        cancellation=_cancellation(row),
        predecessor=row["predecessor_uri"],
        successor=row["successor_uri"],
        no_show=None
        if row["no_show_at"] is None
        else NoShow(at=row["no_show_at"], uri=row["no_show_uri"]),
        reference=row["reference"],
        links=links,
        event_canceled_at=row["event_canceled_at"],
    )


def _details(row: Any) -> Details:
    location = None
    if row["location_kind"] is not None:
        location = Location(
            kind=row["location_kind"], text=row["location_text"], join_url=row["location_join_url"]
        )
    return Details(
        updated_at=row["updated_at"],
        event_type_uri=row["event_type_uri"],
        event_name=row["event_name"],
        start=row["start_at"],
        end=row["end_at"],
        invitee=Invitee(
            name=row["invitee_name"], email=row["invitee_email"], timezone=row["invitee_timezone"]
        ),
        location=location,
        host_uris=tuple(row["host_uris"]),
        calendar_event_id=row["calendar_event_id"],
    )


def _cancellation(row: Any) -> Cancellation | None:
    if row["canceled_at"] is None:
        return None
    return Cancellation(
        at=row["canceled_at"],
        by=row["canceled_by"],
        by_kind=row["canceled_by_kind"],
        reason=row["cancel_reason"],
    )


def _location_values(location: Location | None) -> tuple[object, ...]:
    if location is None:
        return (None, None, None)
    return (location.kind, location.text, location.join_url)


def _cancellation_values(cancellation: Cancellation | None) -> tuple[object, ...]:
    if cancellation is None:
        return (None, None, None, None)
    return (cancellation.at, cancellation.by, cancellation.by_kind, cancellation.reason)


def _no_show_values(no_show: NoShow | None) -> tuple[object, ...]:
    return (None, None) if no_show is None else (no_show.at, no_show.uri)


def _links(row: Any, integration_id: IntegrationId, vault: Vault) -> Links:
    bound_to = _bound_to(integration_id, row["invitee_uri"])

    def opened(column: str) -> Secret | None:
        sealed = row[f"{column}_link_sealed"]
        if sealed is None:
            return None
        try:
            return vault.open(sealed, f"{bound_to}:{column}")
        except SealedValueUnreadable:
            return None

    return Links(cancel=opened("cancel"), reschedule=opened("reschedule"))


def _sealed_links(booking: Booking, vault: Vault) -> tuple[str | None, str | None]:
    bound_to = _bound_to(booking.integration_id, booking.facts.invitee_uri)

    def sealed(column: str, link: Secret | None) -> str | None:
        return None if link is None else vault.seal(link, f"{bound_to}:{column}")

    links = booking.facts.links
    return sealed("cancel", links.cancel), sealed("reschedule", links.reschedule)


def _bound_to(integration_id: IntegrationId, invitee_uri: str) -> str:
    return f"calendly_booking:{integration_id}:{invitee_uri}"
