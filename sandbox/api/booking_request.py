"""The body of `POST /invitees`, and everything Calendly checks in it before the slot."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from sandbox.acts.booking import Booker
from sandbox.api.errors import detail
from sandbox.state.bookings import TRACKING_KEYS
from sandbox.state.event_types import EventType

_MOST_GUESTS = 10
_LONGEST_UTM = 255
_NEED_LOCATION = ("physical", "outbound_call", "ask_invitee", "custom")
Problems = list[dict[str, str]]


class InviteeInput(msgspec.Struct):
    """The invitee of a booking request."""

    email: str | None = None
    timezone: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    text_reminder_number: str | None = None


class LocationInput(msgspec.Struct):
    """Where to meet, of the kind that the event type offers."""

    kind: str
    location: str | None = None


class AnswerInput(msgspec.Struct):
    """One answer; `question` must be the exact text of a custom question."""

    question: str
    answer: str
    position: int


class BookingRequest(msgspec.Struct):
    """The whole body; `problems` checks required fields, to name all of them together."""

    event_type: str | None = None
    start_time: str | None = None
    invitee: InviteeInput = msgspec.field(default_factory=InviteeInput)
    location: LocationInput | None = None
    questions_and_answers: list[AnswerInput] = []
    tracking: dict[str, str | None] | None = None
    event_guests: list[str] = []


def form_problems(request: BookingRequest) -> Problems:
    """Return the errors of the request that do not depend on the event type."""
    found = []
    who = request.invitee
    if not who.email:
        found.append(detail("invitee.email", "must be filled"))
    elif "@" not in who.email:
        found.append(detail("invitee.email", "is invalid"))
    if not who.name and not who.first_name:
        found.append(detail("invitee.name", "must be filled"))
    if not who.timezone:
        found.append(detail("invitee.timezone", "must be filled"))
    elif not _is_zone(who.timezone):
        found.append(detail("invitee.timezone", "is invalid"))
    if len(request.event_guests) > _MOST_GUESTS:
        found.append(detail("event_guests", "must have at most 10 guests"))
    return found + _tracking_problems(request.tracking)


def type_problems(request: BookingRequest, event_type: EventType, required: bool) -> Problems:
    """Return the errors of questions and location for the event type.

    `required`: refuse a missing location where the type has one.
    """
    return _question_problems(request, event_type) + _location_problems(
        request.location, event_type, required
    )


def booker_of(request: BookingRequest) -> Booker:
    """The checked request as what a booking needs."""
    who = request.invitee
    full_name = " ".join(part for part in (who.first_name, who.last_name) if part)
    return Booker(
        name=who.name or full_name,
        email=who.email or "",
        first_name=who.first_name,
        last_name=who.last_name,
        timezone=who.timezone,
        text_reminder_number=who.text_reminder_number,
        answers=[msgspec.to_builtins(a) for a in request.questions_and_answers],
        tracking=request.tracking or {},
        guests=tuple(request.event_guests),
        location=_chosen(request.location),
        method="api",
    )


def _chosen(location: LocationInput | None) -> dict[str, Any] | None:
    return None if location is None else msgspec.to_builtins(location)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _tracking_problems(tracking: dict[str, str | None] | None) -> Problems:
    if tracking is None:
        return []
    missing = [key for key in TRACKING_KEYS if key not in tracking]
    long = [key for key, value in tracking.items() if len(value or "") > _LONGEST_UTM]
    found = [detail(f"tracking.{key}", "must be present") for key in missing]
    return found + [detail(f"tracking.{key}", "is too long") for key in long]


def _question_problems(request: BookingRequest, event_type: EventType) -> Problems:
    asked = {q.name: q for q in event_type.questions if q.enabled}
    answered = {a.question for a in request.questions_and_answers if a.answer}
    found = [
        detail("questions_and_answers", f"unknown question: {a.question}")
        for a in request.questions_and_answers
        if a.question not in asked
    ]
    missing = [name for name, q in asked.items() if q.required and name not in answered]
    return found + [
        detail("questions_and_answers", f"must be answered: {name}") for name in missing
    ]


def _location_problems(
    location: LocationInput | None, event_type: EventType, required: bool
) -> Problems:
    offered = event_type.location
    if location is None:
        missing = required and offered is not None and event_type.pooling_type != "round_robin"
        return [detail("location", "must be filled")] if missing else []
    if offered is None or event_type.pooling_type == "round_robin":
        return [detail("location", "must not be given for this event type")]
    if location.kind != offered["kind"]:
        return [detail("location.kind", "does not match the event type")]
    if location.kind in _NEED_LOCATION and not location.location:
        return [detail("location.location", "must be filled")]
    return []
