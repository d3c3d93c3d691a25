"""Webhook bodies as Calendly sends them, and their signatures.

Source: Calendly, "Webhook payload" and "Webhook signatures".
"""

import hmac
import uuid
from datetime import datetime
from typing import Any, NamedTuple

API = "https://api.calendly.com"
_TRACKED = (
    "utm_campaign",
    "utm_source",
    "utm_medium",
    "utm_content",
    "utm_term",
    "salesforce_uuid",
)


class Meeting(NamedTuple):
    """What is booked: whose account, which event type, when (UTC), and its own ids."""

    account_uri: str
    event_type_uri: str
    start: datetime
    end: datetime
    event: uuid.UUID
    invitee: uuid.UUID

    @property
    def event_uri(self) -> str:
        """The scheduled event."""
        return f"{API}/scheduled_events/{self.event}"


def created(meeting: Meeting, now: datetime) -> dict[str, Any]:
    """Return `invitee.created` of a meeting that is booked now."""
    return _envelope("invitee.created", meeting, _invitee(meeting, now), now)


def canceled(meeting: Meeting, booked_at: datetime, now: datetime) -> dict[str, Any]:
    """Return `invitee.canceled` of a meeting that its invitee cancels now."""
    cancellation = {
        "canceled_by": "Grace Invitee",
        "canceler_type": "invitee",
        "created_at": _stamp(now),
        "reason": None,
    }
    changed = {"status": "canceled", "updated_at": _stamp(now), "cancellation": cancellation}
    invitee = _invitee(meeting, booked_at) | changed
    invitee["scheduled_event"] |= changed
    return _envelope("invitee.canceled", meeting, invitee, now)


def signature(body: bytes, stamp: int, key: str) -> str:
    """Return `Calendly-Webhook-Signature` of a body sent at that time (UNIX seconds)."""
    digest = hmac.digest(key.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return f"t={stamp},v1={digest}"


def _envelope(
    kind: str, meeting: Meeting, payload: dict[str, Any], now: datetime
) -> dict[str, Any]:
    return {
        "created_at": _stamp(now),
        "created_by": meeting.account_uri,
        "event": kind,
        "payload": payload,
    }


def _invitee(meeting: Meeting, now: datetime) -> dict[str, Any]:
    invitee = meeting.invitee
    return {
        "cancel_url": f"https://calendly.com/cancellations/{invitee}",
        "created_at": _stamp(now),
        "email": f"grace.{invitee.hex[:8]}@example.net",
        "event": meeting.event_uri,
        "first_name": None,
        "invitee_scheduled_by": None,
        "last_name": None,
        "name": "Grace Invitee",
        "new_invitee": None,
        "no_show": None,
        "old_invitee": None,
        "payment": None,
        "questions_and_answers": [
            {"answer": "Everything. ", "position": 0, "question": "What is it about?"}
        ],
        "reconfirmation": None,
        "reschedule_url": f"https://calendly.com/reschedulings/{invitee}",
        "rescheduled": False,
        "routing_form_submission": None,
        "scheduled_event": _scheduled_event(meeting, now),
        "scheduling_method": None,
        "status": "active",
        "text_reminder_number": None,
        "timezone": "Europe/Paris",
        "tracking": dict.fromkeys(_TRACKED),
        "updated_at": _stamp(now),
        "uri": f"{meeting.event_uri}/invitees/{invitee}",
    }


def _scheduled_event(meeting: Meeting, now: datetime) -> dict[str, Any]:
    start, end = _stamp(meeting.start), _stamp(meeting.end)
    return {
        "calendar_event": {"external_id": meeting.event.hex, "kind": "google"},
        "created_at": _stamp(now),
        "end_time": end,
        "event_guests": [],
        "event_memberships": [
            {
                "buffered_end_time": end,
                "buffered_start_time": start,
                "user": meeting.account_uri,
                "user_email": "host@example.com",
                "user_name": "Host",
            }
        ],
        "event_type": meeting.event_type_uri,
        "invitees_counter": {"active": 1, "limit": 1, "total": 1},
        "location": {"join_url": "https://zoom.example/j/1", "status": "pushed", "type": "zoom"},
        "meeting_notes_html": None,
        "meeting_notes_plain": None,
        "name": "Intro",
        "start_time": start,
        "status": "active",
        "updated_at": _stamp(now),
        "uri": meeting.event_uri,
    }


def _stamp(time_: datetime) -> str:
    return time_.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
