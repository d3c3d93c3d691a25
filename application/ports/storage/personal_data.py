"""Where an invitee's data is stored: bookings, and the bodies of stored webhooks.

Both are read from end to end, because an erasure is rare. An index by address would cost each
booking, and would be one more place with the address. The rule not to break: no store compares
addresses. It returns them unchanged; only `domain.erasure` compares them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.booking import Booking
from domain.ids import BookingId, WebhookEventId
from domain.redacted_repr import RedactedRepr


class Seat(RedactedRepr, msgspec.Struct, frozen=True):
    """A booking and the address of its invitee as it is stored."""

    shown = ("id",)
    id: BookingId
    email: str


class SeatPage(msgspec.Struct, frozen=True):
    """Some bookings whose invitee is known; `after` is where to go on, None at the end."""

    seats: tuple[Seat, ...]
    after: BookingId | None


class OpenedBody(RedactedRepr, msgspec.Struct, frozen=True):
    """A stored webhook's body; None where it cannot be opened. Received: UTC."""

    shown = ("id", "received_at")
    id: WebhookEventId
    received_at: datetime
    body: bytes | None


class BodyPage(msgspec.Struct, frozen=True):
    """Some bodies, the oldest first; `after` is where to go on, None at the end."""

    bodies: tuple[OpenedBody, ...]
    after: WebhookEventId | None


class PersonalData(Protocol):
    """Finds and rewrites what is about people."""

    async def seats(self, after: BookingId | None, limit: int) -> SeatPage:
        """Return a page of bookings that name an invitee's address; locks nothing.

        Args:
            after: None, or what the call before said.
            limit: bookings at most.

        """
        ...

    async def lock_bookings(self, booking_ids: Collection[BookingId]) -> Sequence[Booking]:
        """Return and lock bookings, after the facts of the integrations that they belong to.

        Both by ascending id of the integration, in the order of transactions that merge facts.
        """
        ...

    async def forget_bookings(self, bookings: Sequence[Booking]) -> None:
        """Store bookings as they are given, their links removed."""
        ...

    async def bodies(
        self, after: WebhookEventId | None, limit: int, since: datetime | None = None
    ) -> BodyPage:
        """Return a page of stored webhooks' bodies behind a position; ids grow with time.

        Args:
            after: None, or what the call before said.
            limit: bodies at most; fewer when they are large, and with `since` even none, with
                more to come.
            since: only what was received or settled at or after this moment (UTC).

        """
        ...

    async def replace_body(self, event_id: WebhookEventId, body: bytes) -> None:
        """Store another body in the place of an event's."""
        ...
