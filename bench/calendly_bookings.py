"""Bookings of the template account, and the webhooks about them, in the sandbox's shapes.

Source of signatures: Calendly, "Webhook signatures".
"""

import hmac
import uuid
from datetime import datetime
from typing import Any

from bench.calendly_account import ACCOUNT, ACCOUNT_URI, WORLD
from sandbox.shapes.invitees import invitee_payload
from sandbox.state.bookings import Cancellation, Invitee, ScheduledEvent
from sandbox.state.event_types import EventType
from sandbox.timestamps import micros


def book(event_type: EventType, start: int, now: datetime) -> Invitee:
    """Return a new booking.

    Args:
        event_type: one of the template account.
        start: when the meeting begins (UNIX seconds).
        now: when it is booked (UTC).

    """
    event = ScheduledEvent(
        uuid=str(uuid.uuid4()),
        event_type=event_type,
        host=ACCOUNT,
        start=start,
        end=start + 60 * event_type.duration,
        created_at=now,
        updated_at=now,
        calendar_id=uuid.uuid4().hex,
        location={"type": "zoom_conference"},
    )
    invitee = Invitee(
        uuid=str(uuid.uuid4()),
        event=event,
        email=f"grace.{event.uuid[:8]}@example.net",
        name="Grace Invitee",
        first_name=None,
        last_name=None,
        timezone="Europe/Paris",
        created_at=now,
        updated_at=now,
        answers=[{"answer": "Everything. ", "position": 0, "question": "What is it about?"}],
    )
    event.invitees.append(invitee)
    return invitee


def cancel(invitee: Invitee, now: datetime) -> None:
    """Cancel a booking in the name of its invitee."""
    record = Cancellation(
        canceled_by=invitee.name, canceler_type="invitee", reason=None, created_at=now
    )
    event = invitee.event
    invitee.status, invitee.cancellation, invitee.updated_at = "canceled", record, now
    event.status, event.cancellation, event.updated_at = "canceled", record, now


def webhook(invitee: Invitee, now: datetime) -> dict[str, Any]:
    """Return `invitee.created`, or `invitee.canceled` of a canceled booking, sent at that time."""
    return {
        "created_at": micros(now),
        "created_by": ACCOUNT_URI,
        "event": "invitee.created" if invitee.status == "active" else "invitee.canceled",
        "payload": invitee_payload(WORLD, invitee),
    }


def signature(body: bytes, stamp: int, key: str) -> str:
    """Return `Calendly-Webhook-Signature` of a body sent at that time (UNIX seconds)."""
    digest = hmac.digest(key.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return f"t={stamp},v1={digest}"
