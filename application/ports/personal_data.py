"""Where an invitee's data is stored: bookings, and the bodies of stored webhooks.

Both are gone through from end to end: an erasure is rare, an index by address would cost each
booking and be one more place that holds it.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from domain.booking import Booking
from domain.discreet import Discreet
from domain.ids import BookingId, WebhookEventId


class OpenedBody(Discreet, msgspec.Struct, frozen=True):
    """A stored webhook's body; None where it cannot be opened."""

    shown = ("id",)
    id: WebhookEventId
    body: bytes | None


class BodyPage(msgspec.Struct, frozen=True):
    """Some bodies, the oldest first; `after` is where to go on, None at the end."""

    bodies: tuple[OpenedBody, ...]
    after: WebhookEventId | None


class PersonalData(Protocol):
    """Finds and rewrites what is about one person."""

    async def bookings_of(
        self, email: str, after: BookingId | None, limit: int
    ) -> tuple[Sequence[Booking], BookingId | None]:
        """Return and lock an invitee's bookings of the next stretch, and where to go on.

        Args:
            email: normalised.
            after: None, or what the call before said; None again at the end.
            limit: rows that are looked through; few or none of them are theirs.

        """
        ...

    async def forget_bookings(self, bookings: Sequence[Booking]) -> None:
        """Store bookings as they are given, their links removed."""
        ...

    async def bodies(self, after: WebhookEventId | None, limit: int) -> BodyPage:
        """Return a page of stored webhooks' bodies behind a position; ids grow with time."""
        ...

    async def replace_body(self, event_id: WebhookEventId, body: bytes) -> None:
        """Store another body in the place of an event's."""
        ...
