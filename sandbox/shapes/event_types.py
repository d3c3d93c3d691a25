"""Event types as Calendly writes them, in answers and in `event_type.*` webhooks alike."""

from typing import Any

from sandbox.state.event_types import EventType, Question
from sandbox.timestamps import maybe_micros, micros
from sandbox.world import World


def event_type(world: World, record: EventType) -> dict[str, Any]:
    """`GET /event_types/{uuid}`; every field is always present."""
    owner = record.owner
    return {
        "active": record.active and record.deleted_at is None,
        "admin_managed": False,
        "booking_method": "instant",
        "color": record.color,
        "created_at": micros(record.created_at),
        "custom_questions": [question(q) for q in record.questions],
        "deleted_at": maybe_micros(record.deleted_at),
        "description_html": f"<p>{record.description}</p>" if record.description else None,
        "description_plain": record.description,
        "duration": record.duration,
        "duration_options": None,
        "internal_note": None,
        "is_paid": False,
        "kind": record.kind,
        "locale": "en",
        "locations": None if record.location is None else [record.location],
        "name": record.name,
        "pooling_type": record.pooling_type,
        "position": record.position,
        "profile": {"name": owner.name, "owner": world.uri("users", owner.uuid), "type": "User"},
        "scheduling_url": scheduling_url(record),
        "secret": record.secret,
        "slug": record.slug,
        "type": "StandardEventType",
        "updated_at": micros(record.updated_at),
        "uri": world.uri("event_types", record.uuid),
    }


def question(record: Question) -> dict[str, Any]:
    """One custom question of an event type."""
    return {
        "answer_choices": list(record.answer_choices),
        "enabled": record.enabled,
        "include_other": record.include_other,
        "name": record.name,
        "position": record.position,
        "required": record.required,
        "type": record.type,
    }


def scheduling_url(record: EventType) -> str:
    """The public booking page."""
    return f"https://calendly.com/{record.owner.slug}/{record.slug}"
