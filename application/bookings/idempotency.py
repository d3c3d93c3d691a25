"""Idempotent commands: a caller can safely repeat a request after its response was lost.

A command is recorded before any request leaves, and marked as sent before the request to Calendly
leaves. A repetition under the same Idempotency-Key gets the first result, or continues the command.
Only the process that started the command last may send it or end it.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
from domain.ids import CommandId, UserId
from domain.integration import Integration

# Longer than Calendly can still work on a request after we stopped waiting for its response.
LEASE = timedelta(seconds=60)
# A process that was suspended for longer after the record sends nothing: its lease may be over.
SEND_WITHIN = timedelta(seconds=20)


class CommandResult(msgspec.Struct, frozen=True):
    """The booking that a command led to; `repeated` if an earlier request carried it out."""

    view: BookingView
    repeated: bool


@dataclass(frozen=True, kw_only=True)
class IdempotentCommands:
    """Starts, marks and completes commands, and counts their results."""

    storage: Storage
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry

    async def run(
        self,
        user_id: UserId,
        key: str,
        operation: Operation,
        content: object,
        act: Callable[[Integration, BookingCommand], Awaitable[Sequence[Facts]]],
        *,
        as_written: object = None,
    ) -> CommandResult:
        """Carry a command out once, even if the caller repeats the request under its key.

        Args:
            user_id: the owner of the key.
            key: the Idempotency-Key.
            operation: the kind of command.
            content: the meaning of the request, which must be the same in a repetition.
            act: acts at Calendly for the user's integration, and returns the facts that Calendly
                then has, those of the command's booking first.
            as_written: the content in the caller's own form, where that differs from `content`.

        Raises:
            IntegrationNotFound, ReauthRequired: the user has no usable integration.
            Further errors of `start` and `act`.

        """
        command = await self.start(user_id, key, operation, content, as_written=as_written)
        if command.done_at is not None:
            return await self.replay(command)
        try:
            integration = await usable_integration_of(self.storage, user_id)
            facts = await act(integration, command)
        except SlotkeeperError as error:
            await self._fail(command, error)
            raise
        return await self.complete(command, integration, facts)

    async def start(
        self,
        user_id: UserId,
        key: str,
        operation: Operation,
        content: object,
        *,
        as_written: object = None,
    ) -> BookingCommand:
        """Record a command, or return the earlier one with the same key; see `run`.

        The previous version recorded the fingerprint of `as_written`; it is accepted too.

        Raises:
            IdempotencyKeyReused: the key came with another request before.
            CommandInProgress: another process carries it out, or its result is not known yet.

        """
        now = self.clock.now()
        wanted = BookingCommand(
            id=CommandId(self.randomness.new_id()),
            user_id=user_id,
            key=key,
            operation=operation,
            fingerprint=_fingerprint(operation, content),
            started_at=now,
            lease_until=now + LEASE,
        )
        async with self.storage() as uow:
            command, may_run = await uow.booking_commands.open(wanted)
            written = _fingerprint(operation, as_written)
            if as_written is not None and command.fingerprint == written != wanted.fingerprint:
                wanted = msgspec.structs.replace(wanted, fingerprint=written)
                command, may_run = await uow.booking_commands.open(wanted)
            await uow.commit()
        if command.fingerprint != wanted.fingerprint:
            raise IdempotencyKeyReused("This Idempotency-Key was used for another request.")
        if command.done_at is None and not may_run:
            raise _in_progress(self.lease_left(command))
        return command

    def lease_left(self, command: BookingCommand) -> float:
        """Return the seconds, at least one, until a repetition may carry the command out."""
        return max((command.lease_until - self.clock.now()).total_seconds(), 1)

    async def mark_sent(self, command: BookingCommand) -> BookingCommand:
        """Record that the request leaves now; return the command with its renewed lease.

        The lease starts again here, because it has to outlive the request.

        Raises:
            CommandInProgress: another process took the command over, or this one was
                suspended for too long after the record; nothing may be sent.

        """
        now = self.clock.now()
        lease_until = now + LEASE
        async with self.storage() as uow:
            is_ours = await uow.booking_commands.mark_sent(command, now, lease_until)
            await uow.commit()
        if not is_ours:
            raise _in_progress(LEASE.total_seconds())
        if self.clock.now() - now > SEND_WITHIN:
            raise _in_progress(
                self.lease_left(msgspec.structs.replace(command, lease_until=lease_until))
            )
        return msgspec.structs.replace(command, lease_until=lease_until)

    async def complete(
        self, command: BookingCommand, integration: Integration, facts: Sequence[Facts]
    ) -> CommandResult:
        """Merge the facts for all hosts, end the command and return the first fact's booking."""
        now = self.clock.now()
        async with self.storage() as uow:
            # Calendly may have reassigned the event to another host and sends no webhook for it.
            facts_by_owner = await facts_for_all_hosts(uow, integration, facts)
            changes = await merge_facts(uow, self.randomness, facts_by_owner)
            users = sorted({command.user_id, *(owner.user_id for owner in changes)})
            await uow.availability.invalidate(users, now, by=command.operation)
            booking = await uow.bookings.by_invitee(command.user_id, facts[0].invitee_uri)
            if booking is None:
                raise BookingNotFound("The booking was erased while the command ran.")
            await uow.booking_commands.finish(command, booking.id, now)
            (view,) = await view_bookings(uow, command.user_id, [booking])
            await uow.commit()
        self.telemetry.booking_command(command.operation, "done")
        return CommandResult(view, repeated=False)

    async def replay(self, command: BookingCommand) -> CommandResult:
        """Return the result of a command that an earlier request carried out.

        Raises:
            BookingNotFound: the booking was erased since.

        """
        self.telemetry.booking_command(command.operation, "repeated")
        async with self.storage() as uow:
            booking_id = command.booking_id
            booking = booking_id and await uow.bookings.find(command.user_id, booking_id)
            if not booking:
                raise BookingNotFound("The booking of this request was erased since.")
            (view,) = await view_bookings(uow, command.user_id, [booking])
        return CommandResult(view, repeated=True)

    async def _fail(self, command: BookingCommand, error: SlotkeeperError) -> None:
        """Record a failure.

        After an uncertain result the lease stays, so that a repetition looks only once Calendly
        has certainly finished the first request. The error says when that is.
        """
        self.telemetry.booking_command(command.operation, error.code)
        if isinstance(error, CalendlyUncertain):
            error.retry_after = error.retry_after or self.lease_left(command)
            return
        async with self.storage() as uow:
            await uow.booking_commands.release(command, sent=command.sent)
            await uow.commit()


def _in_progress(retry_after: float) -> CommandInProgress:
    return CommandInProgress(
        "This request is being carried out; repeat it in a moment.", retry_after=retry_after
    )


def _fingerprint(operation: Operation, content: object) -> bytes:
    return hashlib.sha256(operation.encode() + b" " + msgspec.json.encode(content)).digest()
