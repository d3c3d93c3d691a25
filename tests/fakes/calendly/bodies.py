"""Calendly's JSON, built for tests: answers and webhook bodies, every documented field present."""

from datetime import UTC, datetime
from typing import Any

import msgspec

API = "https://api.calendly.com"
USER = f"{API}/users/HOST0001"
ORGANIZATION = f"{API}/organizations/ORG0001"
EVENT_TYPE = f"{API}/event_types/TYPE0001"
EVENT = f"{API}/scheduled_events/EVENT0001"
INVITEE = f"{EVENT}/invitees/INVITEE0001"
NO_SHOW = f"{API}/invitee_no_shows/MARK0001"
BOOKED_AT = datetime(2026, 11, 2, 10, 0, 0, 123456, tzinfo=UTC)
START = datetime(2026, 12, 2, 20, 0, tzinfo=UTC)
END = datetime(2026, 12, 2, 20, 30, tzinfo=UTC)
OCCURRED_AT = datetime(2026, 11, 2, 10, 0, 1, tzinfo=UTC)


def stamp(time: datetime) -> str:
    """Return a time as Calendly's records carry it, with six decimals."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def invitee(**changed: Any) -> dict[str, Any]:
    """Return an invitee as the API answers it."""
    return {
        "cancel_url": "https://calendly.com/cancellations/INVITEE0001",
        "created_at": stamp(BOOKED_AT),
        "email": "grace@example.net",
        "event": EVENT,
        "first_name": None,
        "invitee_scheduled_by": None,
        "last_name": None,
        "name": "Grace Invitee",
        "new_invitee": None,
        "no_show": None,
        "old_invitee": None,
        "payment": None,
        "questions_and_answers": [],
        "reconfirmation": None,
        "reschedule_url": "https://calendly.com/reschedulings/INVITEE0001",
        "rescheduled": False,
        "routing_form_submission": None,
        "scheduling_method": None,
        "status": "active",
        "text_reminder_number": None,
        "timezone": "Europe/Zurich",
        "tracking": tracking(),
        "updated_at": stamp(BOOKED_AT),
        "uri": INVITEE,
    } | changed


def tracking(**changed: str | None) -> dict[str, str | None]:
    """Return UTM parameters, none of them set unless named."""
    return {
        "utm_campaign": None,
        "utm_source": None,
        "utm_medium": None,
        "utm_content": None,
        "utm_term": None,
        "salesforce_uuid": None,
    } | changed


def event(**changed: Any) -> dict[str, Any]:
    """Return a scheduled event as the API answers it."""
    return {
        "calendar_event": {"external_id": "calendar-1", "kind": "google"},
        "created_at": stamp(BOOKED_AT),
        "end_time": stamp(END),
        "event_guests": [],
        "event_memberships": [
            {"user": USER, "user_email": "host@example.com", "user_name": "Ada Host"}
        ],
        "event_type": EVENT_TYPE,
        "invitees_counter": {"active": 1, "limit": 1, "total": 1},
        "location": {"type": "google_conference", "status": "initiated", "join_url": None},
        "meeting_notes_html": None,
        "meeting_notes_plain": None,
        "name": "30 Minute Meeting",
        "start_time": stamp(START),
        "status": "active",
        "updated_at": stamp(BOOKED_AT),
        "uri": EVENT,
    } | changed


def cancellation(**changed: Any) -> dict[str, Any]:
    """Return who canceled, when and why."""
    return {
        "canceled_by": "Grace Invitee",
        "canceler_type": "invitee",
        "created_at": stamp(OCCURRED_AT),
        "reason": "Meeting conflict",
    } | changed


def event_type(**changed: Any) -> dict[str, Any]:
    """Return an event type as the API answers it."""
    return {
        "active": True,
        "admin_managed": False,
        "booking_method": "instant",
        "color": "#fff200",
        "created_at": stamp(BOOKED_AT),
        "custom_questions": [],
        "deleted_at": None,
        "description_html": "<p>Half an hour.</p>",
        "description_plain": "Half an hour.",
        "duration": 30,
        "duration_options": None,
        "internal_note": None,
        "is_paid": False,
        "kind": "solo",
        "locale": "en",
        "locations": [{"kind": "google_conference"}],
        "name": "30 Minute Meeting",
        "pooling_type": None,
        "position": 0,
        "profile": {"name": "Ada Host", "owner": USER, "type": "User"},
        "scheduling_url": "https://calendly.com/ada/30min",
        "secret": False,
        "slug": "30min",
        "type": "StandardEventType",
        "updated_at": stamp(BOOKED_AT),
        "uri": EVENT_TYPE,
    } | changed


def user(**changed: Any) -> dict[str, Any]:
    """Return a user as `GET /users/me` answers it."""
    return {
        "avatar_url": None,
        "created_at": stamp(BOOKED_AT),
        "current_organization": ORGANIZATION,
        "email": "host@example.com",
        "locale": "en",
        "name": "Ada Host",
        "resource_type": "User",
        "scheduling_url": "https://calendly.com/ada",
        "slug": "ada",
        "time_notation": "24h",
        "timezone": "Europe/Zurich",
        "updated_at": stamp(BOOKED_AT),
        "uri": USER,
    } | changed


def subscription(**changed: Any) -> dict[str, Any]:
    """Return a webhook subscription as the API answers it."""
    return {
        "callback_url": "https://slots.example/api/calendly/webhooks/key-1",
        "created_at": stamp(BOOKED_AT),
        "creator": USER,
        "events": ["invitee.created", "invitee.canceled"],
        "group": None,
        "organization": ORGANIZATION,
        "retry_started_at": None,
        "scope": "user",
        "state": "active",
        "updated_at": stamp(BOOKED_AT),
        "uri": f"{API}/webhook_subscriptions/HOOK0001",
        "user": USER,
    } | changed


def tokens(**changed: Any) -> dict[str, Any]:
    """Return the token endpoint's answer."""
    return {
        "access_token": "eyJhbGciOiJIUzI1NiJ9.access",
        "created_at": 1793613600,
        "expires_in": 7200,
        "organization": ORGANIZATION,
        "owner": USER,
        "refresh_token": "refresh-2",
        "scope": "users:read webhooks:write",
        "token_type": "Bearer",
    } | changed


def page(*items: dict[str, Any], next_page_token: str | None = None) -> dict[str, Any]:
    """Return one page of a list."""
    return {
        "collection": list(items),
        "pagination": {
            "count": len(items),
            "next_page": next_page_token and f"{API}/list?page_token={next_page_token}",
            "next_page_token": next_page_token,
            "previous_page": None,
            "previous_page_token": None,
        },
    }


def payload(**changed: Any) -> dict[str, Any]:
    """Return the payload of `invitee.*` and `invitee_no_show.*` webhooks."""
    return invitee(scheduled_event=event()) | changed


def webhook(kind: str, about: Any, occurred_at: datetime = OCCURRED_AT) -> bytes:
    """Return a webhook's raw body."""
    return msgspec.json.encode(
        {
            "created_at": stamp(occurred_at),
            "created_by": USER,
            "event": kind,
            "payload": about,
        }
    )
