"""Values to arrange tests with; every argument that matters is named by the test itself."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from domain.booking import Booking, BookingStatus, Details, Facts, Invitee
from domain.ids import BookingId, IntegrationId, UserId
from domain.integration import Account, Integration, Status
from domain.token import SealedTokens
from tests.fakes.clock import NOON
from tests.fakes.randomness import FakeRandomness

CALENDLY = "https://api.calendly.com"


def tokens(*, expires_at: datetime = NOON + timedelta(hours=2), version: int = 1) -> SealedTokens:
    """Return a sealed pair."""
    return SealedTokens(
        access=f"sealed-access-{version}",
        refresh=f"sealed-refresh-{version}",
        expires_at=expires_at,
        version=version,
    )


def integration(integration_id: IntegrationId, user_id: UserId, **changes: Any) -> Integration:
    """Return an active integration, connected at noon."""
    account = Account(
        user_uri=f"{CALENDLY}/users/{integration_id}",
        organization_uri=f"{CALENDLY}/organizations/ORG",
        name="Ada Host",
        email="ada@example.com",
        timezone="Europe/Berlin",
        scheduling_url="https://calendly.com/ada",
    )
    plain = Integration(
        id=integration_id,
        user_id=user_id,
        status=Status.ACTIVE,
        account=account,
        scopes=("availability:read", "users:read"),
        connected_at=NOON,
        tokens=tokens(),
    )
    return replace(plain, **changes)


def details(start: datetime = NOON + timedelta(days=1), **changes: Any) -> Details:
    """Return the details of a half-hour meeting."""
    plain = Details(
        updated_at=NOON,
        event_type_uri=f"{CALENDLY}/event_types/INTRO",
        event_name="Intro",
        start=start,
        end=start + timedelta(minutes=30),
        invitee=Invitee(name="Ivy Invitee", email="ivy@example.com"),
    )
    return replace(plain, **changes)


def facts(invitee: str, **changes: Any) -> Facts:
    """Return what is known of one invitee, alone at an event of its own."""
    plain = Facts(
        invitee_uri=invitee_uri(invitee),
        event_uri=f"{CALENDLY}/scheduled_events/{invitee}",
        status=BookingStatus.BOOKED,
        created_at=NOON,
        details=details(),
    )
    return replace(plain, **changes)


def invitee_uri(invitee: str) -> str:
    """Return an invitee's URI."""
    return f"{CALENDLY}/scheduled_events/{invitee}/invitees/{invitee}"


def booking(owner: Integration, randomness: FakeRandomness, what: Facts) -> Booking:
    """Return a booking of an integration's user."""
    return Booking(
        id=BookingId(randomness.new_id()),
        user_id=owner.user_id,
        integration_id=owner.id,
        facts=what,
    )
