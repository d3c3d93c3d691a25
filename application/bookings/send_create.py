"""Send one request to book, and find the booking that it made if the response is lost.

The command is marked as sent, and its lease renewed, each time just before the request leaves. That
is after everything the session does first, such as a token refresh. A lost lease sends nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from application.bookings.idempotency import IdempotentCommands
from application.ports.calendly.bookings import BookingRequest, CalendlyBookings
from application.ports.storage.booking_commands import BookingCommand
from application.tokens.calendly_session import CalendlySession
from domain.availability import Window
from domain.booking import Facts
from domain.errors import CalendlyError, CalendlyUncertain, SlotkeeperError
from domain.integration import Integration
from domain.token import Access


class BookingClues(msgspec.Struct, frozen=True):
    """How we recognise our booking: its start (UTC), its invitee's e-mail, our reference."""

    start: datetime
    email: str
    reference: str


class SearchResult(msgspec.Struct, frozen=True):
    """The booking, or None; `everywhere` if all hosts of the organization were searched."""

    facts: Facts | None
    everywhere: bool


@dataclass(frozen=True, kw_only=True)
class SendBooking:
    """Never sends a request again that Calendly may have processed."""

    commands: IdempotentCommands
    session: CalendlySession
    calendly: CalendlyBookings

    async def send(
        self, integration: Integration, request: BookingRequest, command: BookingCommand
    ) -> Facts:
        """Book, and return the booking as Calendly shows it.

        Raises:
            CommandInProgress: another process took the command over; that process books.
            SlotTaken, and the rest of the CalendlyError family: nothing was booked.
            CalendlyUncertain: Calendly may have booked; `retry_after` is the rest of the lease.

        """
        sent = command

        async def post(access: Access) -> str:
            nonlocal sent
            sent = await self.commands.mark_sent(command)
            return await self.calendly.book(access, request)

        try:
            try:
                invitee_uri = await self.session.call(integration.id, post)
            except CalendlyUncertain as uncertain:
                return await self._find_after(uncertain, integration, request)
            return await self._read_back(integration, invitee_uri)
        except CalendlyUncertain as uncertain:
            uncertain.retry_after = self.commands.lease_left(sent)
            raise

    async def find(self, integration: Integration, clues: BookingClues) -> SearchResult:
        """Search the user's bookings, then the organization's if Calendly allows it.

        Calendly assigns the bookings of a round-robin event type to its hosts in turn. So a search
        of the user's own bookings does not prove that there is no booking.

        Raises:
            ReauthRequired, CircuitOpen, the CalendlyError family: the user's own bookings could
            not be read.

        """
        span = Window(clues.start, clues.start + timedelta(minutes=1))
        account = integration.account
        own = await self.session.call(
            integration.id,
            lambda access: self.calendly.find(access, account.user_uri, clues.email, span),
        )
        facts = _with_reference(own, clues.reference)
        if facts is not None:
            return SearchResult(facts, everywhere=True)
        try:
            all_hosts = await self.session.call(
                integration.id,
                lambda access: self.calendly.find_in_organization(
                    access, account.organization_uri, clues.email, span
                ),
            )
        except CalendlyError:
            # Calendly: only owners and admins may list the events of an organization.
            return SearchResult(None, everywhere=False)
        return SearchResult(_with_reference(all_hosts, clues.reference), everywhere=True)

    async def _read_back(self, integration: Integration, invitee_uri: str) -> Facts:
        try:
            return await self.session.call(
                integration.id, lambda access: self.calendly.invitee(access, invitee_uri)
            )
        except SlotkeeperError as error:
            raise CalendlyUncertain(
                "Calendly took the booking, but it could not be read back; repeat the request "
                "under the same Idempotency-Key."
            ) from error

    async def _find_after(
        self, uncertain: CalendlyUncertain, integration: Integration, request: BookingRequest
    ) -> Facts:
        """Return the booking if Calendly made it; otherwise raise `uncertain`."""
        clues = BookingClues(request.start, request.email, request.reference)
        try:
            facts = (await self.find(integration, clues)).facts
        except SlotkeeperError:
            raise uncertain from None
        if facts is None:
            raise uncertain
        return facts


def _with_reference(bookings: Iterable[Facts], reference: str) -> Facts | None:
    return next((each for each in bookings if each.reference == reference), None)
