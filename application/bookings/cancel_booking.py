"""Cancel a booking at Calendly."""

import msgspec

from application.bookings.idempotency import CommandResult, IdempotentCommands
from application.bookings.list_bookings import ShowBooking
from application.ports.calendly.bookings import CalendlyBookings
from application.ports.storage.booking_commands import Operation
from application.tokens.calendly_session import CalendlySession
from domain.booking import Booking, BookingStatus, Facts
from domain.errors import (
    BookingNotOpen,
    CalendlyNotFound,
    CalendlyUncertain,
    InvalidInput,
    SlotkeeperError,
)
from domain.ids import BookingId, UserId
from domain.integration import Integration

LONGEST_REASON = 10_000  # Calendly: POST /scheduled_events/{uuid}/cancellation


class _Content(msgspec.Struct, frozen=True):
    booking_id: BookingId
    reason: str | None


class CancelBooking:
    """Cancels the whole event: Calendly cannot cancel one invitee of a group event."""

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
        self, user_id: UserId, key: str, booking_id: BookingId, reason: str | None
    ) -> CommandResult:
        """Cancel; one that is canceled already counts as canceled.

        Raises:
            BookingNotFound, BookingNotOpen (it was rescheduled), InvalidInput.
            IdempotencyKeyReused, CommandInProgress, and the CalendlyError family.

        """
        if reason is not None and len(reason) > LONGEST_REASON:
            raise InvalidInput(f"reason may have at most {LONGEST_REASON} characters.")
        booking = (await self._show(user_id, booking_id)).booking
        content = _Content(booking_id, reason)
        command = await self._commands.start(user_id, key, Operation.CANCEL, content)
        if command.done_at is not None:
            return await self._commands.replay(command)
        try:
            integration = await self._commands.integration(user_id)
            facts = await self._cancel(integration, booking, reason)
        except SlotkeeperError as error:
            await self._commands.failed(command, error, sent=False)
            raise
        return await self._commands.complete(command, integration, facts)

    async def _cancel(
        self, integration: Integration, booking: Booking, reason: str | None
    ) -> list[Facts]:
        """Return what Calendly says of everybody at the event, this booking's invitee first."""
        if booking.facts.status is BookingStatus.RESCHEDULED:
            raise BookingNotOpen("This booking was rescheduled; cancel the one that replaced it.")
        if booking.is_open:
            await self._session.call(
                integration.id,
                lambda access: self._calendly.cancel(access, booking.facts.event_uri, reason),
            )
        everybody = await self._session.call(
            integration.id,
            lambda access: self._calendly.of_event(access, booking.facts.event_uri),
        )
        uri = booking.facts.invitee_uri
        facts = next((each for each in everybody if each.invitee_uri == uri), None)
        if facts is None:
            raise CalendlyNotFound("Calendly no longer knows this booking's invitee.")
        if facts.status is BookingStatus.BOOKED:
            raise CalendlyUncertain(
                "Calendly accepted the cancellation but still shows the booking as active; "
                "repeat the request."
            )
        return [facts, *(each for each in everybody if each is not facts)]
