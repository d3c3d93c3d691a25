"""Acting requests by Idempotency-Key, recorded before anything is sent."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.ids import BookingId, CommandId, UserId


class Operation(StrEnum):
    """What an acting request does at Calendly."""

    BOOK = "book"
    CANCEL = "cancel"
    MARK_NO_SHOW = "mark_no_show"
    CLEAR_NO_SHOW = "clear_no_show"


class BookingCommand(msgspec.Struct, frozen=True):
    """One acting request.

    Args:
        key: the caller's Idempotency-Key.
        fingerprint: SHA-256 of the operation and its input, so that the same key with another
            request is found out.
        started_at: when it was last taken up (UTC).
        done_at: when it ended well (UTC), or None while that is open.
        booking_id: the booking it made or acted on, once known.
        sent: whether a request may already have reached Calendly.

    """

    id: CommandId
    user_id: UserId
    key: str
    operation: Operation
    fingerprint: bytes
    started_at: datetime
    lease_until: datetime
    done_at: datetime | None = None
    booking_id: BookingId | None = None
    sent: bool = False


class BookingCommands(Protocol):
    """The record of acting requests: one a (user, key)."""

    async def open(self, command: BookingCommand) -> tuple[BookingCommand, bool]:
        """Record a command, or return the one recorded before under the same key.

        Returns:
            The recorded command, and whether the caller may carry it out now: true for a new
            one, and for an unfinished one whose lease is over at `command.started_at` (it is
            then taken over with the new lease).

        """
        ...

    async def mark_sent(self, command: BookingCommand, lease_until: datetime) -> bool:
        """Record, before a request leaves, that it may reach Calendly, and renew the lease.

        Returns:
            Whether the command is still the caller's. False changes nothing: somebody took it
            over since `command.started_at`, or it is done or forgotten; nothing may be sent.

        """
        ...

    async def finish(self, command: BookingCommand, booking_id: BookingId, now: datetime) -> None:
        """Record that it ended well, unless somebody took it over since `command.started_at`."""
        ...

    async def release(self, command: BookingCommand, *, sent: bool) -> None:
        """Let go of one that failed, so that the caller may repeat it at once.

        `sent` true keeps it: who repeats it has to look first. False means that Calendly is
        known not to have processed it: it is forgotten, and its key is as good as unused.
        One that somebody took over meanwhile, or that is done, is left alone.
        """
        ...
