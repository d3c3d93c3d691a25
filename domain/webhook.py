"""Webhook events: kinds, and the key that makes a fact count once.

Calendly guarantees neither order nor exactly-once delivery and sends no delivery id, so the key is
made from the event's subject. Unknown kinds are stored, not refused.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

from domain.booking import Facts


class Topic(StrEnum):
    """The part of the stored data that a kind of webhook changes."""

    BOOKING = "booking"
    EVENT_TYPE = "event_type"
    NONE = "none"


APP_WIDE = "app"  # the scope of deliveries to the address that all users share

CANCELED_KIND = "invitee.canceled"
INVITEE_KINDS = frozenset({"invitee.created", CANCELED_KIND})
NO_SHOW_KINDS = frozenset({"invitee_no_show.created", "invitee_no_show.deleted"})
EVENT_TYPE_KINDS = frozenset({"event_type.created", "event_type.updated", "event_type.deleted"})


class ParsedWebhook(msgspec.Struct, frozen=True):
    """The content of one webhook body.

    Args:
        kind: Calendly's `event`, known here or not.
        occurred_at: when Calendly says it happened (UTC).
        subject: the URI of its subject; None if the kind is unknown.
        occurrence: distinguishes two events of one kind and subject, where they can repeat.
        facts: the facts about a booking, for the kinds that have them.
        account_uris: the Calendly users concerned, for deliveries to the app-wide address.
        unreadable: the path of the field that made its payload unreadable; then there is neither
            subject nor facts.
        invitee_uri: of an unreadable payload about a booking, the invitee's URI if it names one.

    """

    kind: str
    occurred_at: datetime
    subject: str | None = None
    occurrence: str | None = None
    facts: Facts | None = None
    account_uris: tuple[str, ...] = ()
    unreadable: str | None = None
    invitee_uri: str | None = None


def topic(kind: str) -> Topic:
    """Return the topic of a kind; NONE for an unknown kind."""
    if kind in INVITEE_KINDS or kind in NO_SHOW_KINDS:
        return Topic.BOOKING
    return Topic.EVENT_TYPE if kind in EVENT_TYPE_KINDS else Topic.NONE


def dedupe_key(webhook: ParsedWebhook, body: bytes, scope: str) -> str:
    """Return the key under which this fact is stored once.

    Per invitee and event, never per scheduled event: the second invitee of a group event is not
    a duplicate. The key of an unreadable body is made from its hash.

    Args:
        webhook: the parsed body.
        body: its raw bytes.
        scope: the id of the only owner, or `app` if there is not exactly one.

    """
    if webhook.subject is None:
        identity = hashlib.sha256(body).hexdigest()
    else:
        identity = f"{webhook.subject} {webhook.occurrence or ''}"
    return hashlib.sha256(f"{scope} {webhook.kind} {identity}".encode()).hexdigest()
