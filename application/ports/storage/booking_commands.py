"""Commands by Idempotency-Key, recorded before anything is sent."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.ids import BookingId, CommandId, UserId


class Operation(StrEnum):
    """The action of a command at Calendly."""

    BOOK = "book"
    CANCEL = "cancel"
    MARK_NO_SHOW = "mark_no_show"
    CLEAR_NO_SHOW = "clear_no_show"


class BookingCommand(msgspec.Struct, frozen=True):
    """One command.

    Args:
        key: the caller's Idempotency-Key.
        fingerprint: SHA-256 of the operation and the meaning of its input; detects the same key with another
            request.
        started_at: when it was last started or taken over (UTC).
        lease_until: until when no other process takes it over (UTC).
        done_at: when it succeeded (UTC); None until then.
        booking_id: the booking it created or changed, once known.
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
    """Recorded commands: one per user and key.

    The store judges every lease by its own clock. Of a caller's start and end only the distance
    counts, so a recorded command has the store's times.
    """

    async def open(self, command: BookingCommand) -> tuple[BookingCommand, bool]:
        """Record a command, or return the one with the same key.

        Returns:
            The recorded command, and whether the caller may carry it out now. That is true for a
            new command, and for an unfinished one whose lease has ended at `command.started_at`.
            The caller then takes it over with the new lease.

        Raises:
            IntegrationNotFound: the user does not exist here, so no account is connected.

        """
        ...

    async def mark_sent(
        self, command: BookingCommand, now: datetime, lease_until: datetime
    ) -> bool:
        """Record, before a request leaves, that it may reach Calendly, and renew the lease.

        The lease lasts from now until then (UTC).

        Returns:
            Whether the command is still the caller's. If not, nothing changes and nothing may be
            sent: another process took it over since `command.started_at`, or it is done or gone.

        """
        ...

    async def finish(self, command: BookingCommand, booking_id: BookingId, now: datetime) -> None:
        """Record success, unless another process took it over since `command.started_at`."""
        ...

    async def release(self, command: BookingCommand, *, sent: bool) -> None:
        """Release a failed command, so that the caller may repeat it immediately.

        A command that another process took over, or that is done, does not change.

        Args:
            command: the failed command.
            sent: True keeps the command, so that a repetition searches first. False means that
                Calendly did not process it: it is deleted, and its key can be used again.

        """
        ...
