"""Erasing an invitee."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from adapters.web.schemas.bookings import Email


class EraseInvitee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to erase."""

    email: Annotated[Email, Meta(description="Small and capital letters are the same.")]


class Erasure(msgspec.Struct, frozen=True):
    """What an erasure came to, without who it was."""

    id: UUID
    erased_at: datetime
    bookings: Annotated[int, Meta(description="Bookings that were made anonymous.")]
    webhook_events: Annotated[int, Meta(description="Stored webhooks that were rewritten.")]
    unreadable: Annotated[
        int,
        Meta(
            description="Stored webhooks that could not be looked into, for want of their "
            "encryption key: put it back and repeat the erasure."
        ),
    ]
