"""The people and things that these tests tell of."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from application.booking_views import BookingView
from application.breaker_view import BreakerView
from application.cached_values import CacheAge
from application.view_integration import IntegrationView
from domain.availability import EventType, Slot
from domain.booking import Booking, BookingStatus, Details, Facts, Invitee, Links
from domain.cache_policy import Freshness
from domain.circuit_breaker import BreakerState
from domain.ids import BookingId, IntegrationId, UserId
from domain.integration import Account, Status
from domain.secret import Secret

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
API_KEY = "sk_test_0123456789abcdef"
EVENT_TYPE_URI = "https://api.calendly.com/event_types/intro"
INTEGRATION = UUID("0193a2b4-7c1d-7e3f-8a5b-6c7d8e9f0a1b")
CANCEL_LINK = "https://calendly.com/cancellations/cancel-s3cret"
RESCHEDULE_LINK = "https://calendly.com/reschedulings/move-s3cret"


def integration(**changes: object) -> IntegrationView:
    """Return a healthy integration, changed as told."""
    fields: dict[str, object] = {
        "id": IntegrationId(INTEGRATION),
        "status": Status.ACTIVE,
        "account": Account(
            "https://api.calendly.com/users/ada",
            "https://api.calendly.com/organizations/one",
            "Ada Example",
            "ada@example.com",
            "Europe/Berlin",
            "https://calendly.com/ada",
        ),
        "scopes": ("users:read",),
        "missing_scopes": (),
        "connected_at": NOW,
        "token_expires_at": NOW + timedelta(hours=2),
        "last_refreshed_at": None,
        "last_synced_at": NOW,
        "reconciled_at": None,
        "last_error_code": None,
        "breaker": BreakerView(BreakerState.CLOSED, 0, None),
        "webhook_state": "active",
        "action_required": None,
    }
    return IntegrationView(**{**fields, **changes})  # type: ignore[arg-type]


def event_type(name: str = "Intro call", uri: str = EVENT_TYPE_URI) -> EventType:
    """Return an active event type of 30 minutes."""
    return EventType(
        uri=uri,
        name=name,
        active=True,
        duration=30,
        kind="solo",
        scheduling_url="https://calendly.com/ada/intro",
    )


def slot(hours: int) -> Slot:
    """Return a slot that begins so many hours from now."""
    return Slot(NOW + timedelta(hours=hours), 1, "https://calendly.com/ada/intro/slot")


def age(seconds: int = 95) -> CacheAge:
    """Return the age of an answer fetched so many seconds ago."""
    return CacheAge(
        fetched_at=NOW - timedelta(seconds=seconds),
        age_seconds=seconds,
        freshness=Freshness.FRESH,
        expires_at=NOW + timedelta(hours=24),
    )


def booking(
    number: int,
    user_id: UserId,
    *,
    status: BookingStatus = BookingStatus.BOOKED,
    name: str = "Grace Sample",
) -> BookingView:
    """Return a booking so many hours from now."""
    start = NOW + timedelta(hours=number)
    event = f"https://api.calendly.com/scheduled_events/{number}"
    facts = Facts(
        invitee_uri=f"{event}/invitees/{number}",
        event_uri=event,
        status=status,
        created_at=NOW,
        details=Details(
            updated_at=NOW,
            event_type_uri=EVENT_TYPE_URI,
            event_name="Intro call",
            start=start,
            end=start + timedelta(minutes=30),
            invitee=Invitee(name, "grace@example.com", "Europe/Paris"),
        ),
        links=Links(cancel=Secret(CANCEL_LINK), reschedule=Secret(RESCHEDULE_LINK)),
    )
    return BookingView(
        Booking(BookingId(UUID(int=abs(number))), user_id, IntegrationId(INTEGRATION), facts)
    )
