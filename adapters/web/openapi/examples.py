"""Example values of the OpenAPI document: one consistent, invented scenario.

They are encoded from the same structs as real responses, so that they have the same fields.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

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
from adapters.web.schemas.connect import Connected, StartedConnect
from adapters.web.schemas.health import Alive, Check, Circuit, Readiness
from adapters.web.schemas.integration import (
    Account,
    Breaker,
    Disconnecting,
    Integration,
    Recovered,
)
from adapters.web.schemas.jobs import StartedJob

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
CONNECTED = Connected(status="connected", integration_id=str(_INTEGRATION))
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
    checks=(Check("database", ok=True), Check("migrations", ok=True), _TEMPORAL),
    circuits=_CIRCUITS,
)
NOT_READY = Readiness(
    ready=False,
    checks=(
        Check("database", ok=True),
        Check("migrations", ok=False, detail="1 pending; run: slotkeeper migrate"),
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
