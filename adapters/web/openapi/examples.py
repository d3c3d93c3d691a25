"""Example values of the OpenAPI document: one consistent, invented scenario.

They are encoded from the same structs as real responses, so that they have the same fields.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from adapters.web.schemas.audit import AuditEntry, AuditPage
from adapters.web.schemas.availability import (
    Availability,
    BusyTime,
    BusyTimes,
    CacheAge,
    EventType,
    EventTypes,
    Interval,
    LocalDay,
    LocalSlot,
    Place,
    Profile,
    Question,
    Rule,
    Schedule,
    Schedules,
    Slot,
)
from adapters.web.schemas.bookings import Booking as BookingAnswer
from adapters.web.schemas.bookings import (
    BookingPage,
    BookingWithLinks,
    CancelBooking,
    Invitee,
    Location,
    NewAnswer,
    NewBooking,
    NewInvitee,
    NewLocation,
)
from adapters.web.schemas.connect import (
    ConfirmConnect,
    Connected,
    HeldConnect,
    StartedConnect,
)
from adapters.web.schemas.health import Alive, Check, Circuit, Readiness
from adapters.web.schemas.integration import (
    Account,
    Breaker,
    Disconnecting,
    Integration,
    Recovered,
)
from adapters.web.schemas.invitees import EraseInvitee, Erasure
from adapters.web.schemas.jobs import StartedJob
from adapters.web.schemas.users import UserErasure
from adapters.web.schemas.webhook_events import (
    Replayed,
    WebhookEvent,
    WebhookEventPage,
    WebhookEventWithBody,
)

_API = "https://api.calendly.com"
_SITE = "https://calendly.com/ada"
_NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
_START = datetime(2026, 12, 3, 14, 30, tzinfo=UTC)
_TYPE = f"{_API}/event_types/4f1d2c3b-5a6e-4b7c-8d9e-0f1a2b3c4d5e"
_EVENT = f"{_API}/scheduled_events/7c9e6679-7425-40de-944b-e07fc1f90ae7"
_INVITEE = f"{_EVENT}/invitees/9b2d7f3e-1c4a-4f6b-8e5d-2a3b4c5d6e7f"
_INTEGRATION = UUID("0193a2b4-7c1d-7e3f-8a5b-6c7d8e9f0a1b")
_BOOKING = UUID("0193a2b5-1f2e-7d3c-9b4a-5c6d7e8f9a0b")

STARTED_CONNECT = StartedConnect(
    authorize_url="https://auth.calendly.com/oauth/authorize?client_id=…&code_challenge=…&state=…",
    expires_at=_NOW + timedelta(minutes=10),
)
INTEGRATION = Integration(
    id=_INTEGRATION,
    status="active",
    account=Account(
        user_uri=f"{_API}/users/AAAAAAAAAAAAAAAA",
        organization_uri=f"{_API}/organizations/BBBBBBBBBBBBBBBB",
        name="Ada Example",
        email="ada@example.com",
        timezone="Europe/Berlin",
        scheduling_url=_SITE,
    ),
    scopes=("availability:read", "event_types:read", "scheduled_events:write", "users:read"),
    missing_scopes=(),
    connected_at=_NOW - timedelta(days=9),
    token_expires_at=_NOW + timedelta(minutes=70),
    last_refreshed_at=_NOW - timedelta(minutes=50),
    last_synced_at=_NOW - timedelta(seconds=95),
    reconciled_at=_NOW - timedelta(hours=3),
    last_error_code=None,
    breaker=Breaker(state="closed", failures=0, retry_at=None, opened_at=None),
    webhook_state="active",
    action_required=None,
    recovered=Recovered("grant_refused", _NOW - timedelta(days=2)),
    shared_account=False,
    webhooks_missing_since=None,
    repaired_count=2,
    last_repaired_at=_NOW - timedelta(days=1),
    reconcile_error=None,
)
_HANDLE = "Jx0mT9c4oV2rQe7yLkZsWbA1dF6hUg3nPi8tKq5vRwE"
HELD_CONNECT = HeldConnect("confirm", _HANDLE, _NOW + timedelta(minutes=2))
CONFIRM_CONNECT = ConfirmConnect(handle=_HANDLE)
CONNECTED = Connected(
    status="connected",
    integration_id=str(_INTEGRATION),
    account=INTEGRATION.account,
)
DISCONNECTING = Disconnecting(status="disconnecting")
_FIELDS: dict[str, Any] = {
    "id": _BOOKING,
    "status": "booked",
    "event_name": "Intro call",
    "start": _START,
    "end": _START + timedelta(minutes=30),
    "invitee": Invitee(name="Grace Sample", email="grace@example.com", timezone="Europe/Paris"),
    "location": Location("google_conference", None, "https://meet.example.com/abc"),
    "no_show": False,
    "cancellation": None,
    "rescheduled_from": None,
    "rescheduled_to": None,
    "event_type": _TYPE,
    "event_uri": _EVENT,
    "invitee_uri": _INVITEE,
    "created_at": _NOW,
    "updated_at": _NOW,
}
BOOKING = BookingAnswer(**_FIELDS)
BOOKING_WITH_LINKS = BookingWithLinks(
    **_FIELDS,
    cancel_url="https://calendly.com/cancellations/…",
    reschedule_url="https://calendly.com/reschedulings/…",
)
BOOKING_PAGE = BookingPage(items=(BOOKING,), next_cursor=None)
NEW_BOOKING = NewBooking(
    event_type=_TYPE,
    start=_START,
    invitee=NewInvitee(name="Grace Sample", email="grace@example.com", timezone="Europe/Paris"),
    location=NewLocation(kind="google_conference"),
    answers=[NewAnswer(question="What shall we talk about?", answer="Compilers")],
)
CANCEL_BOOKING = CancelBooking(reason="The host is ill.")
STARTED_JOB = StartedJob(
    workflow_id="refresh-calendly-tokens",
    run_id="0193a2b6-3d4e-7f50-8a6b-7c8d9e0f1a2b",
    already_running=False,
)
ALIVE = Alive()
_TEMPORAL = Check("temporal", ok=True, required=False)
_CIRCUITS = (
    Circuit("oauth", state="closed", failures=0, retry_at=None, opened_at=None),
    Circuit(
        "api",
        state="open",
        failures=5,
        retry_at=_NOW + timedelta(seconds=48),
        opened_at=_NOW - timedelta(seconds=15),
    ),
)
READY = Readiness(
    ready=True,
    checks=(
        Check("database", ok=True),
        Check("migrations", ok=True),
        Check("clock", ok=True),
        _TEMPORAL,
    ),
    circuits=_CIRCUITS,
)
NOT_READY = Readiness(
    ready=False,
    checks=(
        Check("database", ok=True),
        Check("migrations", ok=False, detail="1 pending; run: slotkeeper migrate"),
        Check("clock", ok=True),
        _TEMPORAL,
    ),
    circuits=(),
)
WEBHOOK = {
    "event": "invitee.created",
    "created_at": "2026-12-01T09:00:00.000000Z",
    "created_by": f"{_API}/users/AAAAAAAAAAAAAAAA",
    "payload": {"uri": _INVITEE, "status": "active"},
}
_LINK = f"{_SITE}/intro/2026-12-03T14:30:00Z"
_ZONE = ZoneInfo("Europe/Berlin")

_CACHE = CacheAge(
    fetched_at=_NOW - timedelta(seconds=95),
    freshness="fresh",
    stale_at=_NOW + timedelta(minutes=55),
    expires_at=_NOW + timedelta(hours=22, minutes=40),
    invalidated_by=None,
    error_code=None,
    skipped=0,
)
_EVENT_TYPE = EventType(
    uri=_TYPE,
    name="Intro call",
    active=True,
    duration=30,
    duration_options=(),
    kind="solo",
    scheduling_url=f"{_SITE}/intro",
    slug="intro",
    pooling_type=None,
    booking_method="instant",
    description="A first conversation.",
    color="#0069ff",
    position=0,
    secret=False,
    is_paid=False,
    admin_managed=False,
    locale="en",
    profile=Profile(kind="User", name="Ada Example", owner=f"{_API}/users/AAAAAAAAAAAAAAAA"),
    location_kinds=("google_conference",),
    locations=(Place("google_conference", None, None, None),),
    questions=(
        Question(
            "What shall we talk about?",
            "text",
            0,
            required=False,
            enabled=True,
            choices=(),
            include_other=False,
        ),
    ),
    updated_at=_NOW - timedelta(days=30),
)
EVENT_TYPES = EventTypes(items=(_EVENT_TYPE,), next_cursor=None, cache=_CACHE)
AVAILABILITY = Availability(
    event_type=_EVENT_TYPE,
    start=_NOW,
    end=_NOW + timedelta(days=7),
    covered_until=_NOW + timedelta(days=31),
    timezone=_ZONE.key,
    slots=(Slot(_START, 1, _LINK),),
    days=(
        LocalDay(_START.date(), slots=(LocalSlot(_START, _START.astimezone(_ZONE), 1, _LINK),)),
    ),
    cache=_CACHE,
)
BUSY_TIMES = BusyTimes(
    start=_NOW,
    end=_NOW + timedelta(days=7),
    covered_until=_NOW + timedelta(days=7),
    items=(BusyTime("external", _START, _START + timedelta(minutes=45)),),
    cache=_CACHE,
)
SCHEDULES = Schedules(
    items=(
        Schedule(
            uri=f"{_API}/user_availability_schedules/CCCCCCCCCCCCCCCC",
            name="Working hours",
            default=True,
            timezone=_ZONE.key,
            rules=(
                Rule("wday", "monday", (Interval("09:00", "17:00"),)),
                Rule("date", "2026-12-24", ()),
            ),
        ),
    ),
    cache=_CACHE,
)
_DEAD: dict[str, Any] = {
    "id": UUID("0193a2b7-5e6f-7a81-9c2d-3e4f5a6b7c8d"),
    "kind": "invitee.created",
    "status": "dead_lettered",
    "attempts": 10,
    "reason": "unexpected",
    "received_at": _NOW - timedelta(hours=5),
    "occurred_at": _NOW - timedelta(hours=5, seconds=1),
    "next_attempt_at": None,
    "settled_at": None,
    "integration_id": UUID("0193a2b4-7c1d-7e3f-8a5b-6c7d8e9f0a1b"),
    "replays": 0,
    "replayed_at": None,
    "replayed_by": None,
}
_PUT_BACK: dict[str, Any] = {
    **_DEAD,
    "status": "pending",
    "attempts": 0,
    "reason": None,
    "next_attempt_at": _NOW,
    "replays": 1,
    "replayed_at": _NOW,
    "replayed_by": "key:0193a2b8-6f70-7b92-8d3e-4f5a6b7c8da1",
}
WEBHOOK_EVENT_PAGE = WebhookEventPage(items=(WebhookEvent(**_DEAD),), next_cursor=None)
WEBHOOK_EVENT = WebhookEventWithBody(**_DEAD, body=None)
AUDIT_PAGE = AuditPage(
    items=(
        AuditEntry(
            id=UUID("0193a2b8-6f70-7b92-8d3e-4f5a6b7c8da0"),
            at=_NOW,
            actor="key:0193a2b8-6f70-7b92-8d3e-4f5a6b7c8da1",
            action="webhook_replayed",
            subject_id=UUID("0193a2b8-6f70-7b92-8d3e-4f5a6b7c8da2"),
            affected=None,
            result="done",
            request_id="4f3c2b1a09d8e7f60123456789abcdef",
        ),
    ),
    next_cursor=None,
)
PUT_BACK = WebhookEvent(**_PUT_BACK)
REPLAYED = Replayed(replayed=3)
USER_ERASURE = UserErasure(id=UUID("0193a2b8-6f70-7b92-8d3e-4f5a6b7c8d9f"), erased_at=_NOW)
ERASE_INVITEE = EraseInvitee(email="grace@example.com")
ERASURE = Erasure(
    id=UUID("0193a2b8-6f70-7b92-8d3e-4f5a6b7c8d9e"),
    erased_at=_NOW,
    bookings=2,
    webhook_events=5,
    unreadable=0,
)
