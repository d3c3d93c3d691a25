"""Mark an invitee as a no-show at Calendly, or remove the mark.

Both directions carry Calendly's time, never ours, because the later toggle wins. If our clock were
behind, the mark would win over its removal.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from application.bookings.idempotency import CommandResult, IdempotentCommands
from application.bookings.list_bookings import ShowBooking
from application.ports.calendly.bookings import CalendlyBookings
from application.ports.storage.booking_commands import BookingCommand, Operation
from application.tokens.calendly_session import CalendlySession, Seen
from domain.booking import Facts, NoShow
from domain.errors import BookingNotOpen
from domain.ids import BookingId, UserId
from domain.integration import Integration


@dataclass(frozen=True, kw_only=True)
class MarkNoShow:
    """Both directions are safe to repeat: Calendly keeps one mark per invitee."""

    commands: IdempotentCommands
    session: CalendlySession
    calendly: CalendlyBookings
    show: ShowBooking

    async def __call__(
        self, user_id: UserId, key: str, booking_id: BookingId, *, no_show: bool
    ) -> CommandResult:
        """Set or remove the mark; if there is nothing to change, the command succeeds.

        Raises:
            BookingNotFound, BookingNotOpen (it was canceled or rescheduled).
            IdempotencyKeyReused, CommandInProgress, and the CalendlyError family.

        """
        booking = (await self.show(user_id, booking_id)).booking
        operation = Operation.MARK_NO_SHOW if no_show else Operation.CLEAR_NO_SHOW

        async def toggle(integration: Integration, _: BookingCommand) -> list[Facts]:
            if not booking.is_open:
                raise BookingNotOpen("Only an open booking can be marked as a no-show.")
            change = self._mark if no_show else self._clear
            return [await change(Seen(integration), booking.facts)]

        return await self.commands.run(user_id, key, operation, booking_id, toggle)

    async def _mark(self, seen: Seen, facts: Facts) -> Facts:
        mark = await self.session.call(
            seen.integration.id,
            lambda access: self.calendly.mark_no_show(access, facts.invitee_uri),
            seen=seen,
        )
        return msgspec.structs.replace(facts, no_show=mark)

    async def _clear(self, seen: Seen, stored: Facts) -> Facts:
        """Remove the mark that Calendly shows, which may be one that is not stored here yet."""
        facts = await self.session.call(
            seen.integration.id,
            lambda access: self.calendly.invitee(access, stored.invitee_uri),
            seen=seen,
        )
        uri = facts.no_show.uri if facts.no_show else None
        if uri is not None:
            await self.session.call(
                seen.integration.id,
                lambda access: self.calendly.clear_no_show(access, uri),
                seen=seen,
            )
        marks = [each for each in (stored.no_show, facts.no_show) if each is not None and each.uri]
        return msgspec.structs.replace(facts, no_show=_cleared(marks))


def _cleared(marks: Iterable[NoShow]) -> NoShow | None:
    """Return a removal just after the latest of these marks, so that only a newer mark wins."""
    last = max((each.at for each in marks), default=None)
    return None if last is None else NoShow(at=last + timedelta(microseconds=1), uri=None)
