"""Find a booking that we may have made before, by our own token that travels with it.

Not found with the user is not proof of absence: of an event type whose invitees go to its hosts
in turn, the booking may be a colleague's. `everywhere` says whether those were searched too.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from application.ports.calendly.bookings import CalendlyBookings
from application.tokens.calendly_session import CalendlySession
from domain.availability import Window
from domain.booking import Facts
from domain.errors import CalendlyError
from domain.integration import Integration


class BookingClues(msgspec.Struct, frozen=True):
    """What a booking of ours is known by: its start (UTC), its invitee's e-mail, our token."""

    start: datetime
    email: str
    reference: str


class SearchResult(msgspec.Struct, frozen=True):
    """The booking, or None; `everywhere` when no host of the organization was left out."""

    facts: Facts | None
    everywhere: bool


class FindCreatedBooking:
    """Asks Calendly; sends nothing that changes anything."""

    def __init__(self, *, session: CalendlySession, calendly: CalendlyBookings) -> None:
        self._session = session
        self._calendly = calendly

    async def __call__(self, integration: Integration, traces: BookingClues) -> SearchResult:
        """Look with the user, then with the colleagues, where Calendly allows that.

        Raises:
            ReauthRequired, CircuitOpen, the CalendlyError family: the user's own bookings could
            not be read.

        """
        span = Window(traces.start, traces.start + timedelta(minutes=1))
        account = integration.account
        mine = await self._session.call(
            integration.id,
            lambda access: self._calendly.find(access, account.user_uri, traces.email, span),
        )
        facts = _marked(mine, traces.reference)
        if facts is not None:
            return SearchResult(facts, everywhere=True)
        try:
            theirs = await self._session.call(
                integration.id,
                lambda access: self._calendly.find_in_organization(
                    access, account.organization_uri, traces.email, span
                ),
            )
        except CalendlyError:
            # Calendly: only owners and admins may list the events of an organization.
            return SearchResult(None, everywhere=False)
        return SearchResult(_marked(theirs, traces.reference), everywhere=True)


def _marked(found: Iterable[Facts], reference: str) -> Facts | None:
    return next((each for each in found if each.reference == reference), None)
