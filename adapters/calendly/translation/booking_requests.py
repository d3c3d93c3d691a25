"""Translate a booking request to the body of `POST /invitees` (Calendly: Create Event Invitee)."""

from typing import Any

from adapters.calendly.translation.times import to_wire
from application.ports.calendly.bookings import BookingRequest


def to_body(request: BookingRequest) -> dict[str, Any]:
    """Return the JSON body, without fields that the caller left out."""
    body: dict[str, Any] = {
        "event_type": request.event_type_uri,
        "start_time": to_wire(request.start),
        "invitee": {
            "name": request.name,
            "email": request.email,
            "timezone": request.timezone,
        },
        "tracking": _tracking(request.reference),
    }
    if request.location_kind is not None:
        body["location"] = _location(request.location_kind, request.location)
    if request.answers:
        body["questions_and_answers"] = [
            {"question": each.question, "answer": each.answer, "position": each.position}
            for each in request.answers
        ]
    if request.guests:
        body["event_guests"] = list(request.guests)
    return body


def _location(kind: str, text: str | None) -> dict[str, str]:
    return {"kind": kind} if text is None else {"kind": kind, "location": text}


def _tracking(reference: str) -> dict[str, str | None]:
    """Return all six keys: Calendly accepts all or none."""
    return {
        "utm_campaign": None,
        "utm_source": None,
        "utm_medium": None,
        "utm_content": reference,
        "utm_term": None,
        "salesforce_uuid": None,
    }
