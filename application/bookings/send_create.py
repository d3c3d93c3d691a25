"""Send one request to book, and find out what became of it.

The command is marked as sent, and its lease renewed, before every time the request leaves: after
whatever the session did before, such as refreshing a token. A lost lease sends nothing.
"""

from application.bookings.find_created import BookingClues, FindCreatedBooking
from application.bookings.idempotency import IdempotentCommands
from application.ports.calendly.bookings import BookingRequest, CalendlyBookings
from application.ports.storage.booking_commands import BookingCommand
from application.tokens.calendly_session import CalendlySession
from domain.booking import Facts
from domain.errors import CalendlyUncertain, SlotkeeperError
from domain.integration import Integration
from domain.token import Access


class SendBooking:
    """Never sends again what Calendly may have processed."""

    def __init__(
        self,
        *,
        commands: IdempotentCommands,
        session: CalendlySession,
        calendly: CalendlyBookings,
        find: FindCreatedBooking,
    ) -> None:
        self._commands = commands
        self._session = session
        self._calendly = calendly
        self._find = find

    async def __call__(
        self, integration: Integration, request: BookingRequest, command: BookingCommand
    ) -> Facts:
        """Book, and return the booking as Calendly shows it.

        Raises:
            CommandInProgress: another process took the command over; it books, not this one.
            SlotTaken, and the rest of the CalendlyError family: nothing was booked.
            CalendlyUncertain: it may have been; `retry_after` is what is left of the lease.

        """
        held = command

        async def post(access: Access) -> str:
            nonlocal held
            held = await self._commands.mark_sent(command)
            return await self._calendly.book(access, request)

        try:
            try:
                invitee_uri = await self._session.call(integration.id, post)
            except CalendlyUncertain as uncertain:
                return await self._found_after(uncertain, integration, request)
            return await self._read_back(integration, invitee_uri)
        except CalendlyUncertain as uncertain:
            uncertain.retry_after = self._commands.lease_left(held)
            raise

    async def _read_back(self, integration: Integration, invitee_uri: str) -> Facts:
        try:
            return await self._session.call(
                integration.id, lambda access: self._calendly.invitee(access, invitee_uri)
            )
        except SlotkeeperError as error:
            raise CalendlyUncertain(
                "Calendly took the booking, but it could not be read back; repeat the request "
                "under the same Idempotency-Key."
            ) from error

    async def _found_after(
        self, uncertain: CalendlyUncertain, integration: Integration, request: BookingRequest
    ) -> Facts:
        """Return the booking if it was made after all; else it stays uncertain."""
        traces = BookingClues(request.start, request.email, request.reference)
        try:
            found = (await self._find(integration, traces)).facts
        except SlotkeeperError:
            raise uncertain from None
        if found is None:
            raise uncertain
        return found
