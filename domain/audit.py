"""Entries of the audit trail: who did what, to what, with which result.

An entry holds ids, codes and counts. It never holds an invitee's or a user's name or
e-mail address, a body or a key.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

DONE: Final = "done"
"""The result of an act that succeeded; any other result is an error's code."""


class AuditAction(StrEnum):
    """The acts that leave an entry."""

    KEY_CREATED = "api_key_created"
    KEY_REVOKED = "api_key_revoked"
    ENCRYPTION_ROTATED = "encryption_keys_rotated"
    WEBHOOKS_LISTED = "webhooks_listed"
    WEBHOOK_SHOWN = "webhook_shown"
    WEBHOOK_BODY_SHOWN = "webhook_body_shown"
    WEBHOOK_REPLAYED = "webhook_replayed"
    DEAD_LETTERS_REPLAYED = "dead_letters_replayed"
    INVITEE_ERASED = "invitee_erased"
    USER_ERASED = "user_erased"
    ERASURES_EXPORTED = "erasures_exported"
    ERASURES_APPLIED = "erasures_applied"
    DISCONNECTED = "integration_disconnected"
    TOKENS_REFRESHED = "tokens_refreshed"
    AVAILABILITY_INVALIDATED = "availability_invalidated"
    BOOKINGS_RECONCILED = "bookings_reconciled"
    AUDIT_LISTED = "audit_listed"


class Actor(msgspec.Struct, frozen=True):
    """A program or a person that acts.

    Args:
        name: `key:ID` for an API key, `cli:USER@HOST` for a person at a command line.
        request_id: of the HTTP request, or None.

    """

    name: str
    request_id: str | None = None


class AuditEntry(msgspec.Struct, frozen=True):
    """One act.

    Args:
        id: ordered by time.
        at: when it was done (UTC).
        actor: the name of who did it; see Actor.
        action: an AuditAction, or one of a later version.
        subject_id: the public id of the object that was changed or shown, or None for many.
        affected: how many objects were changed, where it is more than the subject.
        result: `done`, or the code of the error.
        request_id: of the HTTP request, or None.

    """

    id: UUID
    at: datetime
    actor: str
    action: str
    subject_id: UUID | None = None
    affected: int | None = None
    result: str = DONE
    request_id: str | None = None
