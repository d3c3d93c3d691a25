"""Parse webhook bodies.

A body with an envelope never raises, also if its kind is unknown or its payload unreadable. A
response other than 2xx makes Calendly retry for a day and then disable the subscription.
"""

from typing import TypeVar

from adapters.calendly.translation.facts import to_facts, to_no_show
from adapters.calendly.translation.times import utc
from adapters.calendly.wire.decoding import Unreadable, decode
from adapters.calendly.wire.invitees import InviteeWithEvent
from adapters.calendly.wire.lenient import decode_leniently
from adapters.calendly.wire.webhooks import Envelope, EventTypePayload, NamedPayload
from domain.booking import NoShow
from domain.errors import MalformedWebhook
from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, ParsedWebhook, Topic, topic

T = TypeVar("T")


class CalendlyWebhookReader:
    """Implements `WebhookReader`."""

    def read(self, body: bytes) -> ParsedWebhook:
        try:
            envelope = decode(body, Envelope)
        except Unreadable as fault:
            field = _within("", fault) or "body"
            raise MalformedWebhook(
                f"This is not a Calendly webhook: {field} is missing or unreadable."
            ) from None
        try:
            return _parsed(envelope)
        except Unreadable as fault:
            return ParsedWebhook(
                kind=envelope.event,
                occurred_at=utc(envelope.created_at),
                unreadable=_within("payload", fault),
                invitee_uri=_uri(envelope) if topic(envelope.event) is Topic.BOOKING else None,
            )


def _parsed(envelope: Envelope) -> ParsedWebhook:
    if envelope.event in INVITEE_KINDS:
        return _invitee(envelope)
    if envelope.event == "invitee_no_show.created":
        return _no_show_created(envelope)
    if envelope.event == "invitee_no_show.deleted":
        return _no_show_deleted(envelope)
    if envelope.event in EVENT_TYPE_KINDS:
        return _event_type(envelope)
    if envelope.event == "routing_form_submission.created":
        return _named(envelope)
    return ParsedWebhook(kind=envelope.event, occurred_at=utc(envelope.created_at))


def _invitee(envelope: Envelope) -> ParsedWebhook:
    # An invitee is created once and canceled at most once: its URI is enough.
    payload = _payload(envelope, InviteeWithEvent)
    canceled = envelope.event == "invitee.canceled"
    facts = to_facts(payload, payload.scheduled_event, canceled=canceled)
    return ParsedWebhook(
        kind=envelope.event,
        occurred_at=utc(envelope.created_at),
        subject=payload.uri,
        facts=facts,
        account_uris=facts.details.host_uris,
    )


def _no_show_created(envelope: Envelope) -> ParsedWebhook:
    # Each marking creates a new no-show with its own URI, which distinguishes two of them.
    payload = _payload(envelope, InviteeWithEvent)
    if payload.no_show is None:
        raise Unreadable("$.no_show")
    at = utc(envelope.created_at)
    mark = to_no_show(payload.no_show, at)
    facts = to_facts(payload, payload.scheduled_event, no_show=mark)
    return ParsedWebhook(
        kind=envelope.event,
        occurred_at=at,
        subject=payload.no_show.uri,
        facts=facts,
        account_uris=facts.details.host_uris,
    )


def _no_show_deleted(envelope: Envelope) -> ParsedWebhook:
    # The body no longer names the mark, and an invitee's mark can be removed more than once. The
    # envelope's time is in whole seconds; the invitee's own last change is more precise.
    payload = _payload(envelope, InviteeWithEvent)
    at = max(utc(envelope.created_at), utc(payload.updated_at or payload.created_at))
    facts = to_facts(payload, payload.scheduled_event, no_show=NoShow(at=at, uri=None))
    return ParsedWebhook(
        kind=envelope.event,
        occurred_at=utc(envelope.created_at),
        subject=payload.uri,
        occurrence=at.isoformat(),
        facts=facts,
        account_uris=facts.details.host_uris,
    )


def _event_type(envelope: Envelope) -> ParsedWebhook:
    payload = _payload(envelope, EventTypePayload)
    at = utc(envelope.created_at)
    owner = payload.profile.owner if payload.profile else None
    deleted = payload.deleted_at if envelope.event == "event_type.deleted" else None
    return ParsedWebhook(
        kind=envelope.event,
        occurred_at=at,
        subject=payload.uri,
        occurrence=deleted or payload.updated_at or at.isoformat(),
        account_uris=(owner,) if owner else (),
    )


def _named(envelope: Envelope) -> ParsedWebhook:
    return ParsedWebhook(
        kind=envelope.event, occurred_at=utc(envelope.created_at), subject=_uri(envelope)
    )


def _uri(envelope: Envelope) -> str | None:
    """Return the payload's own URI, if it can be read."""
    try:
        return decode(bytes(envelope.payload), NamedPayload).uri
    except Unreadable:
        return None


def _payload(envelope: Envelope, into: type[T]) -> T:
    return decode_leniently(bytes(envelope.payload), into)


def _within(part: str, fault: Unreadable) -> str:
    return f"{part}.{fault.field.removeprefix('$').lstrip('.')}".strip(".")
