"""The journal of acting requests: what makes repeating one after a lost answer safe.

A command is recorded before anything is sent and marked as sent before the request leaves. Who
repeats it under the same Idempotency-Key gets its result, or goes on where it broke off. Only who
took it up last may send or end it.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from application.bookings.list_bookings import BookingView, view_bookings
from application.bookings.merge_facts import merge_facts
from application.bookings.reassigned_hosts import facts_for_all_hosts
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.booking_commands import BookingCommand, Operation
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.tokens.connected import usable_integration_of
from domain.booking import Facts
from domain.errors import (
    BookingNotFound,
    CalendlyUncertain,
    CommandInProgress,
    IdempotencyKeyReused,
    SlotkeeperError,
)
from domain.ids import BookingId, CommandId, UserId
from domain.integration import Integration

# Longer than Calendly may still be working on a request whose answer we gave up on.
LEASE = timedelta(seconds=60)


class CommandResult(msgspec.Struct, frozen=True):
    """The booking an acting request led to; `repeated` when it had been carried out before."""

    view: BookingView
    repeated: bool


class IdempotentCommands:
    """Opens, marks and closes commands; counts how they ended."""

    def __init__(
        self, *, storage: Storage, clock: Clock, randomness: Randomness, telemetry: Telemetry
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._randomness = randomness
        self._telemetry = telemetry

    async def integration(self, user_id: UserId) -> Integration:
        """Return the user's live integration. Raises IntegrationNotFound, ReauthRequired."""
        return await usable_integration_of(self._storage, user_id)

    async def start(
        self, user_id: UserId, key: str, operation: Operation, content: object
    ) -> BookingCommand:
        """Record a command, or return the earlier one under the same key.

        Args:
            user_id: whose key it is.
            key: the Idempotency-Key.
            operation: what is to be done.
            content: the request's own content, for telling two requests apart.

        Raises:
            IdempotencyKeyReused: the key came with another request before.
            CommandInProgress: it is being carried out, or its outcome is not known yet.

        """
        now = self._clock.now()
        wanted = BookingCommand(
            id=CommandId(self._randomness.new_id()),
            user_id=user_id,
            key=key,
            operation=operation,
            fingerprint=_fingerprint(operation, content),
            started_at=now,
            lease_until=now + LEASE,
        )
        async with self._storage() as uow:
            command, may_run = await uow.booking_commands.open(wanted)
            await uow.commit()
        if command.fingerprint != wanted.fingerprint:
            raise IdempotencyKeyReused("This Idempotency-Key was used for another request.")
        if command.done_at is None and not may_run:
            raise _in_progress(self.lease_left(command))
        return command

    def lease_left(self, command: BookingCommand) -> float:
        """Return the seconds, at least one, until a repetition may carry the command out."""
        return max((command.lease_until - self._clock.now()).total_seconds(), 1)

    async def mark_sent(self, command: BookingCommand) -> BookingCommand:
        """Record that a request leaves now; return the command with its renewed lease.

        The lease counts from here, because it has to outlive the request.

        Raises:
            CommandInProgress: somebody took the command over, so nothing may be sent.

        """
        lease_until = self._clock.now() + LEASE
        async with self._storage() as uow:
            held = await uow.booking_commands.mark_sent(command, lease_until)
            await uow.commit()
        if not held:
            raise _in_progress(LEASE.total_seconds())
        return msgspec.structs.replace(command, lease_until=lease_until)

    async def complete(
        self, command: BookingCommand, integration: Integration, facts: Sequence[Facts]
    ) -> CommandResult:
        """Store for all hosts what Calendly now says, end the command and return the booking it is about.

        The first of the facts is the booking that the command is about.
        """
        now = self._clock.now()
        async with self._storage() as uow:
            # Calendly may have given the event to another host without a word.
            facts_by_owner = await facts_for_all_hosts(uow, integration, facts)
            changed = await merge_facts(uow, self._randomness, facts_by_owner)
            users = sorted({command.user_id, *(owner.user_id for owner in changed)})
            await uow.availability.invalidate(users, now, by=command.operation)
            booking = await uow.bookings.by_invitee(command.user_id, facts[0].invitee_uri)
            if booking is None:
                raise BookingNotFound("The booking vanished while it was acted on.")
            await uow.booking_commands.finish(command, booking.id, now)
            (view,) = await view_bookings(uow, command.user_id, [booking])
            await uow.commit()
        self._telemetry.booking_command(command.operation, "done")
        return CommandResult(view, repeated=False)

    async def replay(self, command: BookingCommand) -> CommandResult:
        """Return the result of a command that was carried out before."""
        self._telemetry.booking_command(command.operation, "repeated")
        return CommandResult(await self._view(command.user_id, command.booking_id), repeated=True)

    async def failed(self, command: BookingCommand, error: SlotkeeperError, *, sent: bool) -> None:
        """Record a failure.

        After an uncertain one the lease is kept, so that a repetition finds out only once
        Calendly can no longer be working on the first request; the error says when that is.
        """
        self._telemetry.booking_command(command.operation, error.code)
        if isinstance(error, CalendlyUncertain):
            error.retry_after = error.retry_after or self.lease_left(command)
            return
        async with self._storage() as uow:
            await uow.booking_commands.release(command, sent=sent)
            await uow.commit()

    async def _view(self, user_id: UserId, booking_id: BookingId | None) -> BookingView:
        async with self._storage() as uow:
            booking = await uow.bookings.find(user_id, booking_id) if booking_id else None
            if booking is None:
                raise BookingNotFound("The booking of this request was erased since.")
            (view,) = await view_bookings(uow, user_id, [booking])
        return view


def _in_progress(retry_after: float) -> CommandInProgress:
    return CommandInProgress(
        "This request is being carried out; repeat it in a moment.", retry_after=retry_after
    )


def _fingerprint(operation: Operation, content: object) -> bytes:
    return hashlib.sha256(operation.encode() + b" " + msgspec.json.encode(content)).digest()
