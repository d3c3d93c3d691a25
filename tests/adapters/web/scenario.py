"""The people and things that these tests tell of."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from application.availability.cache_entries import CacheAge, Origin
from application.bookings.list_bookings import BookingView
from application.integrations.view_integration import IntegrationView
from application.ports.storage.availability_cache import CacheKey
from application.security.hashing import digest
from domain.availability import BusyTime, EventType, Interval, Rule, Schedule, Slot
from domain.booking import Booking, BookingStatus, Details, Facts, Invitee, Links
from domain.cache_policy import Freshness
from domain.circuit_breaker import BreakerState, BreakerView
from domain.ids import BookingId, IntegrationId, UserId
from domain.integration import Account, Status
from domain.secret import Secret

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
API_KEY = "sk_test_0123456789abcdef"
KEY_HASH = digest(API_KEY)
EVENT_TYPE_URI = "https://api.calendly.com/event_types/intro"
INTEGRATION = UUID("0193a2b4-7c1d-7e3f-8a5b-6c7d8e9f0a1b")
CANCEL_LINK = "https://calendly.com/cancellations/cancel-s3cret"
RESCHEDULE_LINK = "https://calendly.com/reschedulings/move-s3cret"


def integration(**changes: object) -> IntegrationView:
    """Return a healthy integration with these changes."""
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


def busy_time(hours: int) -> BusyTime:
    """Return an hour in which the host is not free, so many hours from now."""
    start = NOW + timedelta(hours=hours)
    return BusyTime("external", start, start + timedelta(hours=1))


def schedule() -> Schedule:
    """Return working hours on Mondays."""
    rule = Rule("wday", "monday", (Interval("09:00", "17:00"),))
    return Schedule(
        "https://api.calendly.com/s/1", "Working hours", True, "Europe/Berlin", (rule,)
    )


def age(
    seconds: int = 95, freshness: Freshness = Freshness.FRESH, error_code: str | None = None
) -> CacheAge:
    """Return the age of an answer fetched so many seconds ago."""
    return CacheAge(
        fetched_at=NOW - timedelta(seconds=seconds),
        freshness=freshness,
        stale_at=NOW + timedelta(hours=1),
        expires_at=NOW + timedelta(hours=24),
        error_code=error_code,
    )


def origin(*reads: CacheKey, valid_until: datetime | None = None) -> Origin:
    """Return where an answer comes from that is good for an hour."""
    until = NOW + timedelta(hours=1) if valid_until is None else valid_until
    return Origin(IntegrationId(INTEGRATION), reads, until)


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
