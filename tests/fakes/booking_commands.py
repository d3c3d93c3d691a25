"""Acting requests in memory."""

from datetime import datetime

from msgspec.structs import replace

from application.ports.storage.booking_commands import BookingCommand
from domain.errors import IntegrationNotFound
from domain.ids import BookingId, CommandId, UserId
from tests.fakes.state import State


class FakeBookingCommands:
    """Implements the BookingCommands port."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def open(self, command: BookingCommand) -> tuple[BookingCommand, bool]:
        """Record or take over."""
        if not self._state.has_user(command.user_id):
            raise IntegrationNotFound("No Calendly account is connected.")
        recorded = self._recorded(command.user_id, command.key)
        if recorded is None:
            self._state.booking_commands[command.id] = command
            return command, True
        over = recorded.done_at is None and recorded.lease_until <= command.started_at
        if not over or recorded.fingerprint != command.fingerprint:
            return recorded, False
        taken = replace(recorded, started_at=command.started_at, lease_until=command.lease_until)
        self._state.booking_commands[taken.id] = taken
        return taken, True

    async def mark_sent(
        self,
        command: BookingCommand,
        now: datetime,  # noqa: ARG002 - the fake's clock is the caller's
        lease_until: datetime,
    ) -> bool:
        """Set the mark and the lease, unless another process took the command over."""
        held = self._held(command)
        if held:
            self._change(command.id, sent=True, lease_until=lease_until)
        return held

    async def finish(self, command: BookingCommand, booking_id: BookingId, now: datetime) -> None:
        """Record the end and the booking, unless another process took the command over."""
        if self._held(command):
            self._change(command.id, done_at=now, booking_id=booking_id)

    async def release(self, command: BookingCommand, *, sent: bool) -> None:
        """End the lease of an unfinished one, or forget it when nothing came of it."""
        if not self._held(command):
            return
        if sent:
            stored = self._state.booking_commands[command.id]
            ended = min(stored.lease_until, stored.started_at)
            self._change(command.id, lease_until=ended, sent=True)
        else:
            del self._state.booking_commands[command.id]

    def _recorded(self, user_id: UserId, key: str) -> BookingCommand | None:
        commands = self._state.booking_commands.values()
        return next(
            (each for each in commands if (each.user_id, each.key) == (user_id, key)), None
        )

    def _held(self, command: BookingCommand) -> bool:
        stored = self._state.booking_commands.get(command.id)
        if stored is None or stored.done_at is not None:
            return False
        return stored.started_at == command.started_at

    def _change(self, command_id: CommandId, **changes: object) -> None:
        command = self._state.booking_commands[command_id]
        self._state.booking_commands[command_id] = replace(command, **changes)
