"""Well-formed values of the domain; a test names only what it is about."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from domain.booking import BookingStatus, Details, Facts, Invitee
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Integration, Status
from domain.token import SealedTokens

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
API = "https://api.calendly.com"
INTEGRATION = IntegrationId(UUID("01936f5e-0000-7000-8000-000000000001"))
TOKENS = SealedTokens(
    access="v1.k1.access", refresh="v1.k1.refresh", expires_at=NOW + timedelta(hours=2), version=3
)


def seconds(count: float) -> timedelta:
    """Return a span."""
    return timedelta(seconds=count)


def invitee_uri(name: str, event: str = "E1") -> str:
    """Return Calendly's name for an invitee of an event."""
    return f"{API}/scheduled_events/{event}/invitees/{name}"


def details(**changes: object) -> Details:
    """Return what describes a booking of half an hour, tomorrow."""
    plain = Details(
        updated_at=NOW,
        event_type_uri=f"{API}/event_types/T1",
        event_name="Demo",
        start=NOW + timedelta(days=1),
        end=NOW + timedelta(days=1, minutes=30),
        invitee=Invitee(name="Ada", email="ada@example.com", timezone="Europe/Paris"),
    )
    return msgspec.structs.replace(plain, **changes)


def facts(name: str = "A", event: str = "E1", **changes: object) -> Facts:
    """Return the facts of an active booking."""
    plain = Facts(
        invitee_uri=invitee_uri(name, event),
        event_uri=f"{API}/scheduled_events/{event}",
        status=BookingStatus.BOOKED,
        created_at=NOW,
        details=details(),
    )
    return msgspec.structs.replace(plain, **changes)


def integration(**changes: object) -> Integration:
    """Return an active integration with its tokens."""
    plain = Integration(
        id=INTEGRATION,
        user_id=UserId(UUID("01936f5e-0000-7000-8000-000000000002")),
        status=Status.ACTIVE,
        account=Account(
            user_uri=f"{API}/users/U1",
            organization_uri=f"{API}/organizations/O1",
            name="Grace",
            email="grace@example.com",
            timezone="UTC",
            scheduling_url="https://calendly.com/grace",
        ),
        scopes=("users:read",),
        connected_at=NOW - timedelta(days=30),
        tokens=TOKENS,
    )
    return msgspec.structs.replace(plain, **changes)
