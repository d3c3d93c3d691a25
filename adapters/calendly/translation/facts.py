"""Translate invitees and their events to facts: one rule for webhooks and for the API.

A field that a body does not contain stays unknown. An absent `no_show` removes no mark here, because
the read may be older than the mark. `domain.reads.as_read` compares it with the start of the read.
"""

from datetime import datetime

from adapters.calendly.translation.times import utc
from adapters.calendly.wire import invitees as wire
from adapters.calendly.wire.scheduled_events import EventLocation, ScheduledEvent
from application.ports.calendly.bookings import REFERENCE_PREFIX
from domain.booking import (
    BookingStatus,
    Cancellation,
    Details,
    Facts,
    Invitee,
    Links,
    Location,
    NoShow,
)

_CANCELED = "canceled"
_CUSTOM = "custom"


def to_facts(
    invitee: wire.Invitee,
    event: ScheduledEvent,
    *,
    canceled: bool = False,
    no_show: NoShow | None = None,
) -> Facts:
    """Return the facts of an invitee and its event.

    A webhook's kind may say more: `canceled`, or `no_show`, the latest toggle of the mark.
    """
    status = _status(invitee, event, canceled=canceled)
    return Facts(
        invitee_uri=invitee.uri,
        event_uri=invitee.event or event.uri,
        status=status,
        created_at=utc(invitee.created_at),
        details=_details(invitee, event),
        cancellation=_cancellation(invitee, event, status),
        predecessor=invitee.old_invitee,
        successor=invitee.new_invitee,
        no_show=no_show or _mark(invitee),
        reference=_reference(invitee),
        links=Links(cancel=invitee.cancel_url, reschedule=invitee.reschedule_url),
        event_canceled_at=_event_canceled_at(invitee, event),
    )


def to_no_show(mark: wire.NoShow, otherwise: datetime) -> NoShow:
    """Return the mark; `otherwise` is its time if it has none."""
    return NoShow(at=utc(mark.created_at or otherwise), uri=mark.uri)


def _status(invitee: wire.Invitee, event: ScheduledEvent, *, canceled: bool) -> BookingStatus:
    if invitee.new_invitee:
        return BookingStatus.RESCHEDULED
    if not canceled and _CANCELED not in {invitee.status, event.status}:
        return BookingStatus.BOOKED
    return BookingStatus.RESCHEDULED if invitee.rescheduled else BookingStatus.CANCELED


def _event_canceled_at(invitee: wire.Invitee, event: ScheduledEvent) -> datetime | None:
    """Return when the event was canceled, or its last change if a body has no such time."""
    if event.status != _CANCELED:
        return None
    at = event.cancellation.created_at if event.cancellation else None
    return _changed_at(invitee, event) if at is None else utc(at)


def _changed_at(invitee: wire.Invitee, event: ScheduledEvent) -> datetime:
    """Return the later change of the two: a conference link changes only the event, and later."""
    changed = utc(invitee.updated_at or invitee.created_at)
    return changed if event.updated_at is None else max(changed, utc(event.updated_at))


def _details(invitee: wire.Invitee, event: ScheduledEvent) -> Details:
    calendar_event = event.calendar_event
    return Details(
        updated_at=_changed_at(invitee, event),
        event_type_uri=event.event_type,
        event_name=event.name or "",
        start=utc(event.start_time),
        end=utc(event.end_time or event.start_time),
        invitee=Invitee(name=_name(invitee), email=invitee.email or "", timezone=invitee.timezone),
        location=None if event.location is None else _location(event.location),
        host_uris=tuple(each.user for each in event.event_memberships or [] if each.user),
        calendar_event_id=None if calendar_event is None else calendar_event.external_id,
    )


def _name(invitee: wire.Invitee) -> str:
    parts = (invitee.first_name, invitee.last_name)
    return invitee.name or " ".join(part for part in parts if part)


def _location(location: EventLocation) -> Location:
    text = location.location or location.additional_info
    kind, link = location.type or _CUSTOM, location.join_url
    if link is None and kind == _CUSTOM and text and text.startswith("https://"):
        link = text  # Calendly also sends a meeting link as a custom location
    return Location(kind=kind, text=text, join_url=link)


def _cancellation(
    invitee: wire.Invitee, event: ScheduledEvent, status: BookingStatus
) -> Cancellation | None:
    """Return the invitee's cancellation, or the event's; None for an active booking."""
    cancellation = invitee.cancellation or event.cancellation
    if cancellation is None or status is BookingStatus.BOOKED:
        return None
    return Cancellation(
        at=utc(cancellation.created_at or invitee.updated_at or invitee.created_at),
        by=cancellation.canceled_by or "",
        by_kind=cancellation.canceler_type or "",
        reason=cancellation.reason,
    )


def _mark(invitee: wire.Invitee) -> NoShow | None:
    if invitee.no_show is None:
        return None
    return to_no_show(invitee.no_show, invitee.updated_at or invitee.created_at)


def _reference(invitee: wire.Invitee) -> str | None:
    """Return our own token only: any person can put any text into a link's UTM parameters."""
    content = invitee.tracking.utm_content if invitee.tracking else None
    ours = isinstance(content, str) and content.startswith(REFERENCE_PREFIX)
    return str(content) if ours else None
