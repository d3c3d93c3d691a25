"""Erasing an invitee."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from adapters.web.schemas.text import Email


class EraseInvitee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The invitee to erase."""

    email: Annotated[Email, Meta(description="Small and capital letters are the same.")]


class Erasure(msgspec.Struct, frozen=True):
    """The counts of an erasure, without the person."""

    id: UUID
    erased_at: datetime
    bookings: Annotated[int, Meta(description="Bookings that were made anonymous.")]
    webhook_events: Annotated[int, Meta(description="Stored webhooks that were rewritten.")]
    unreadable: Annotated[
        int,
        Meta(
            description="Stored webhooks that did not open, because their encryption key is "
            "missing: put it back and repeat the erasure."
        ),
    ]
