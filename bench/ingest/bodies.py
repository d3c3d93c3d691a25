"""Webhook bodies of 2.5 KB as Calendly sends them, each about an invitee of its own, signed.

Source: Calendly, "Webhook payload" and "Webhook signatures".
"""

import hmac
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

SIGNING_KEY = "bench-signing-key"
BODY_BYTES = 2_500
_API = "https://api.calendly.com"


class Host(NamedTuple):
    """An integration to deliver to: its own address, and its account at Calendly."""

    path: str
    account_uri: str


def request_to(host: Host, port: int) -> bytes:
    """Return one delivery, never made before, as it goes over the wire (HTTP/1.1)."""
    body = _body(host.account_uri)
    stamp = int(time.time())
    digest = hmac.digest(SIGNING_KEY.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    head = (
        f"POST {host.path} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "User-Agent: Calendly\r\n"
        "Accept: */*\r\n"
        "Content-Type: application/json\r\n"
        f"Calendly-Webhook-Signature: t={stamp},v1={digest}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _body(account_uri: str) -> bytes:
    plain = _event(account_uri)
    missing = BODY_BYTES - len(json.dumps(plain).encode())
    answer = plain["payload"]["questions_and_answers"][0]
    answer["answer"] += "x" * max(0, missing)
    return json.dumps(plain).encode()


def _event(account_uri: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "created_at": _stamp(now),
        "created_by": account_uri,
        "event": "invitee.created",
        "payload": _invitee(account_uri, now),
    }


def _invitee(account_uri: str, now: datetime) -> dict[str, Any]:
    event, invitee = uuid.uuid4(), uuid.uuid4()
    event_uri = f"{_API}/scheduled_events/{event}"
    return {
        "cancel_url": f"https://calendly.com/cancellations/{invitee}",
        "created_at": _stamp(now),
        "email": f"grace.{invitee.hex[:8]}@example.net",
        "event": event_uri,
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
        "scheduled_event": _scheduled_event(account_uri, event_uri, now),
        "scheduling_method": None,
        "status": "active",
        "text_reminder_number": None,
        "timezone": "Europe/Paris",
        "tracking": dict.fromkeys(
            (
                "utm_campaign",
                "utm_source",
                "utm_medium",
                "utm_content",
                "utm_term",
                "salesforce_uuid",
            )
        ),
        "updated_at": _stamp(now),
        "uri": f"{event_uri}/invitees/{invitee}",
    }


def _scheduled_event(account_uri: str, event_uri: str, now: datetime) -> dict[str, Any]:
    start = now + timedelta(days=3)
    return {
        "calendar_event": {"external_id": uuid.uuid4().hex, "kind": "google"},
        "created_at": _stamp(now),
        "end_time": _stamp(start + timedelta(minutes=30)),
        "event_guests": [],
        "event_memberships": [
            {
                "buffered_end_time": _stamp(start + timedelta(minutes=30)),
                "buffered_start_time": _stamp(start),
                "user": account_uri,
                "user_email": "host@example.com",
                "user_name": "Host",
            }
        ],
        "event_type": f"{_API}/event_types/INTRO",
        "invitees_counter": {"active": 1, "limit": 1, "total": 1},
        "location": {"join_url": "https://zoom.example/j/1", "status": "pushed", "type": "zoom"},
        "meeting_notes_html": None,
        "meeting_notes_plain": None,
        "name": "Intro",
        "start_time": _stamp(start),
        "status": "active",
        "updated_at": _stamp(now),
        "uri": event_uri,
    }


def _stamp(time_: datetime) -> str:
    return time_.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
