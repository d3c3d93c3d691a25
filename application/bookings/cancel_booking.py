"""Cancel a booking at Calendly."""

from dataclasses import dataclass

import msgspec

from application.bookings.idempotency import CommandResult, IdempotentCommands
from application.bookings.list_bookings import ShowBooking
from application.ports.calendly.bookings import CalendlyBookings
from application.ports.storage.booking_commands import BookingCommand, Operation
from application.tokens.calendly_session import CalendlySession, Seen
from domain.booking import Booking, BookingStatus, Facts
from domain.errors import BookingNotOpen, CalendlyNotFound, CalendlyUncertain, InvalidInput
from domain.ids import BookingId, UserId
from domain.integration import Integration

LONGEST_REASON = 10_000  # Calendly: POST /scheduled_events/{uuid}/cancellation


class _Content(msgspec.Struct, frozen=True):
    booking_id: BookingId
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class CancelBooking:
    """Cancels the whole event: Calendly cannot cancel one invitee of a group event."""

    commands: IdempotentCommands
    session: CalendlySession
    calendly: CalendlyBookings
    show: ShowBooking

    async def __call__(
        self, user_id: UserId, key: str, booking_id: BookingId, reason: str | None
    ) -> CommandResult:
        """Cancel; a booking that is already canceled counts as canceled.

        Raises:
            BookingNotFound, BookingNotOpen (it was rescheduled), InvalidInput.
            IdempotencyKeyReused, CommandInProgress, and the CalendlyError family.

        """
        if reason is not None and len(reason) > LONGEST_REASON:
            raise InvalidInput(f"reason may have at most {LONGEST_REASON} characters.")
        booking = (await self.show(user_id, booking_id)).booking

        async def cancel(integration: Integration, _: BookingCommand) -> list[Facts]:
            return await self._cancel(Seen(integration), booking, reason)

        content = _Content(booking_id, reason)
        return await self.commands.run(user_id, key, Operation.CANCEL, content, cancel)

    async def _cancel(self, seen: Seen, booking: Booking, reason: str | None) -> list[Facts]:
        """Return the current facts of all invitees of the event, this booking's invitee first."""
        if booking.facts.status is BookingStatus.RESCHEDULED:
            raise BookingNotOpen("This booking was rescheduled; cancel the one that replaced it.")
        event_uri = booking.facts.event_uri
        if booking.is_open:
            await self.session.call(
                seen.integration.id,
                lambda access: self.calendly.cancel(access, event_uri, reason),
                seen=seen,
            )
        invitees = await self.session.call(
            seen.integration.id,
            lambda access: self.calendly.of_event(access, event_uri),
            seen=seen,
        )
        uri = booking.facts.invitee_uri
        facts = next((each for each in invitees if each.invitee_uri == uri), None)
        if facts is None:
            raise CalendlyNotFound("Calendly no longer knows this booking's invitee.")
        if facts.status is BookingStatus.BOOKED:
            raise CalendlyUncertain(
                "Calendly accepted the cancellation but still shows the booking as active; "
                "repeat the request."
            )
        return [facts, *(each for each in invitees if each is not facts)]
