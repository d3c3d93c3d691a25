"""Invitees and no-shows as Calendly writes them, and the webhook payload made of them."""

from typing import Any

from sandbox.shapes.scheduled_events import cancellation, scheduled_event
from sandbox.state.bookings import Invitee, NoShow
from sandbox.timestamps import micros
from sandbox.world import World


def invitee(world: World, record: Invitee) -> dict[str, Any]:
    """`GET /scheduled_events/{uuid}/invitees/{uuid}`; `cancellation` only when canceled."""
    body = {
        "cancel_url": f"https://calendly.com/cancellations/{record.uuid}",
        "created_at": micros(record.created_at),
        "email": record.email,
        "event": world.uri("scheduled_events", record.event.uuid),
        "first_name": record.first_name,
        "invitee_scheduled_by": None,
        "last_name": record.last_name,
        "name": record.name,
        "new_invitee": _maybe_uri(world, record.new),
        "no_show": None if record.no_show is None else _mark(world, record.no_show),
        "old_invitee": _maybe_uri(world, record.old),
        "payment": None,
        "questions_and_answers": record.answers,
        "reconfirmation": None,
        "reschedule_url": f"https://calendly.com/reschedulings/{record.uuid}",
        "rescheduled": record.rescheduled,
        "routing_form_submission": None,
        "scheduling_method": record.scheduling_method,
        "status": record.status,
        "text_reminder_number": record.text_reminder_number,
        "timezone": record.timezone,
        "tracking": record.tracking,
        "updated_at": micros(record.updated_at),
        "uri": invitee_uri(world, record),
    }
    if record.cancellation is not None:
        body["cancellation"] = cancellation(record.cancellation)
    return body


def invitee_payload(world: World, record: Invitee) -> dict[str, Any]:
    """The `payload` of `invitee.*` and `invitee_no_show.*` webhooks.

    Its event has no `calendar_event`: only the API shows that.
    """
    event = scheduled_event(world, record.event)
    del event["calendar_event"]
    return {**invitee(world, record), "scheduled_event": event}


def no_show(world: World, record: Invitee, mark: NoShow) -> dict[str, Any]:
    """`GET /invitee_no_shows/{uuid}`."""
    return {**_mark(world, mark), "invitee": invitee_uri(world, record)}


def invitee_uri(world: World, record: Invitee) -> str:
    """The invitee's canonical URI, below its event's."""
    return f"{world.uri('scheduled_events', record.event.uuid)}/invitees/{record.uuid}"


def _mark(world: World, mark: NoShow) -> dict[str, Any]:
    return {
        "created_at": micros(mark.created_at),
        "uri": world.uri("invitee_no_shows", mark.uuid),
    }


def _maybe_uri(world: World, record: Invitee | None) -> str | None:
    return None if record is None else invitee_uri(world, record)
