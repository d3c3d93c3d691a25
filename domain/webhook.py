"""Webhook events: kinds, and the key that makes a fact count once.

Calendly promises neither order nor exactly-once delivery and sends no delivery id, so the key is
made of what the event is about. Unknown kinds are kept, not refused.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

from domain.booking import Facts


class Topic(StrEnum):
    """What a kind of webhook changes here."""

    BOOKING = "booking"
    EVENT_TYPE = "event_type"
    NONE = "none"


APP_WIDE = "app"  # the scope of deliveries to the address that all users share

INVITEE_KINDS = frozenset({"invitee.created", "invitee.canceled"})
NO_SHOW_KINDS = frozenset({"invitee_no_show.created", "invitee_no_show.deleted"})
EVENT_TYPE_KINDS = frozenset({"event_type.created", "event_type.updated", "event_type.deleted"})


class ParsedWebhook(msgspec.Struct, frozen=True):
    """What was read out of one webhook body.

    Args:
        kind: Calendly's `event`, known to us or not.
        occurred_at: when Calendly says it happened (UTC).
        subject: URI of what it is about, or None where the kind is unknown.
        mark: what tells two events of one kind about one subject apart, where they can repeat.
        facts: what it says of a booking, for the kinds that do.
        account_uris: the Calendly users it concerns, for deliveries to the app-wide address.
        unreadable: the field, as a path, for which its payload could not be read; then there is
            neither subject nor facts.

    """

    kind: str
    occurred_at: datetime
    subject: str | None = None
    occurrence: str | None = None
    facts: Facts | None = None
    account_uris: tuple[str, ...] = ()
    unreadable: str | None = None


def topic(kind: str) -> Topic:
    """Return what a kind of webhook changes here; NONE for a kind we do not know."""
    if kind in INVITEE_KINDS or kind in NO_SHOW_KINDS:
        return Topic.BOOKING
    return Topic.EVENT_TYPE if kind in EVENT_TYPE_KINDS else Topic.NONE


def dedupe_key(webhook: ParsedWebhook, body: bytes, scope: str) -> str:
    """Return the key under which this fact is stored once.

    Per invitee and event, never per scheduled event: the second invitee of a group event is not
    a duplicate. A body we cannot read further is known by its hash.

    Args:
        webhook: the event as read.
        body: its raw bytes.
        scope: the integration the delivery is for, or the app for an app-wide one.

    """
    if webhook.subject is None:
        told_apart = hashlib.sha256(body).hexdigest()
    else:
        told_apart = f"{webhook.subject} {webhook.occurrence or ''}"
    return hashlib.sha256(f"{scope} {webhook.kind} {told_apart}".encode()).hexdigest()
