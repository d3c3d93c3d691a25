"""Event types to the domain."""

from adapters.calendly.translation.times import maybe_utc
from adapters.calendly.wire import event_types as wire
from domain.availability import EventType, Question


def to_event_type(event_type: wire.EventType) -> EventType:
    """Return the event type; its questions in the order they are asked."""
    questions = sorted(event_type.custom_questions or [], key=lambda each: each.position)
    return EventType(
        uri=event_type.uri,
        name=event_type.name or "",
        active=event_type.active,
        duration=event_type.duration,
        kind=event_type.kind,
        scheduling_url=event_type.scheduling_url,
        slug=event_type.slug,
        pooling_type=event_type.pooling_type,
        description=event_type.description_plain,
        color=event_type.color,
        location_kinds=tuple(each.kind for each in event_type.locations or [] if each.kind),
        questions=tuple(_question(each) for each in questions),
        deleted_at=maybe_utc(event_type.deleted_at),
        updated_at=maybe_utc(event_type.updated_at),
    )


def _question(question: wire.CustomQuestion) -> Question:
    return Question(
        name=question.name,
        kind=question.type,
        position=question.position,
        required=question.required,
        enabled=question.enabled,
        choices=tuple(question.answer_choices or ()),
    )
