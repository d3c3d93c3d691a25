"""Event types to the domain."""

from adapters.calendly.translation.times import maybe_utc
from adapters.calendly.wire import event_types as wire
from domain.availability import EventType, Place, Profile, Question


def to_event_type(event_type: wire.EventType) -> EventType:
    """Return the event type, with its questions in the order of the booking page."""
    questions = sorted(event_type.custom_questions or [], key=lambda each: each.position)
    places = event_type.locations or []
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
        location_kinds=tuple(each.kind for each in places if each.kind),
        questions=tuple(_question(each) for each in questions),
        deleted_at=maybe_utc(event_type.deleted_at),
        updated_at=maybe_utc(event_type.updated_at),
        booking_method=event_type.booking_method,
        duration_options=tuple(event_type.duration_options or ()),
        position=event_type.position or 0,
        secret=event_type.secret or False,
        is_paid=event_type.is_paid or False,
        admin_managed=event_type.admin_managed or False,
        locale=event_type.locale,
        profile=None if event_type.profile is None else _profile(event_type.profile),
        locations=tuple(map(_place, places)),
    )


def _question(question: wire.CustomQuestion) -> Question:
    return Question(
        name=question.name,
        kind=question.type,
        position=question.position,
        required=question.required,
        enabled=question.enabled,
        choices=tuple(question.answer_choices or ()),
        include_other=question.include_other,
    )


def _profile(profile: wire.Profile) -> Profile:
    return Profile(kind=profile.type or "", name=profile.name or "", owner=profile.owner)


def _place(place: wire.LocationChoice) -> Place:
    number = place.phone_number
    return Place(
        kind=place.kind or "",
        location=place.location,
        additional_info=place.additional_info,
        phone_number=None if number is None else str(number),
    )
