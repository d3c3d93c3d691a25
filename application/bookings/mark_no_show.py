"""Mark an invitee as a no-show at Calendly, or take the mark back.

The rule not to break: both directions are stamped with Calendly's time, never ours. The later
toggle wins, and a clock of ours that is behind would make the mark win over its taking back.
"""

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from application.bookings.idempotency import CommandResult, IdempotentCommands
from application.bookings.list_bookings import ShowBooking
from application.ports.calendly.bookings import CalendlyBookings
from application.ports.storage.booking_commands import Operation
from application.tokens.calendly_session import CalendlySession
from domain.booking import Facts, NoShow
from domain.errors import BookingNotOpen, SlotkeeperError
from domain.ids import BookingId, UserId
from domain.integration import Integration


class MarkNoShow:
    """Both directions are safe to repeat: Calendly keeps one mark an invitee."""

    def __init__(
        self,
        *,
        commands: IdempotentCommands,
        session: CalendlySession,
        calendly: CalendlyBookings,
        show: ShowBooking,
    ) -> None:
        self._commands = commands
        self._session = session
        self._calendly = calendly
        self._show = show

    async def __call__(
        self, user_id: UserId, key: str, booking_id: BookingId, *, no_show: bool
    ) -> CommandResult:
        """Set the mark, or take it back; what is so already counts as done.

        Raises:
            BookingNotFound, BookingNotOpen (it was canceled or rescheduled).
            IdempotencyKeyReused, CommandInProgress, and the CalendlyError family.

        """
        booking = (await self._show(user_id, booking_id)).booking
        operation = Operation.MARK_NO_SHOW if no_show else Operation.CLEAR_NO_SHOW
        command = await self._commands.start(user_id, key, operation, booking_id)
        if command.done_at is not None:
            return await self._commands.replay(command)
        try:
            integration = await self._commands.integration(user_id)
            if not booking.is_open:
                raise BookingNotOpen("Only a booking that stands can be marked as a no-show.")
            toggle = self._mark if no_show else self._clear
            facts = await toggle(integration, booking.facts)
        except SlotkeeperError as error:
            await self._commands.failed(command, error, sent=False)
            raise
        return await self._commands.complete(command, integration, [facts])

    async def _mark(self, integration: Integration, facts: Facts) -> Facts:
        mark = await self._session.call(
            integration.id,
            lambda access: self._calendly.mark_no_show(access, facts.invitee_uri),
        )
        return msgspec.structs.replace(facts, no_show=mark)

    async def _clear(self, integration: Integration, stored: Facts) -> Facts:
        """Take back the mark that Calendly shows, which may be one that we do not know yet."""
        facts = await self._session.call(
            integration.id, lambda access: self._calendly.invitee(access, stored.invitee_uri)
        )
        uri = facts.no_show.uri if facts.no_show else None
        if uri is not None:
            await self._session.call(
                integration.id, lambda access: self._calendly.clear_no_show(access, uri)
            )
        usage = [each for each in (stored.no_show, facts.no_show) if each is not None and each.uri]
        return msgspec.structs.replace(facts, no_show=_taken_back(usage))


def _taken_back(usage: Iterable[NoShow]) -> NoShow | None:
    """Return the toggle that comes right after these marks, so that only a newer one beats it."""
    last = max((each.at for each in usage), default=None)
    return None if last is None else NoShow(at=last + timedelta(microseconds=1), uri=None)
