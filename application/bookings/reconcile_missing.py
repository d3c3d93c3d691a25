"""Events that stand here and that Calendly's list of a user no longer has.

They were given to another host, or are gone. The rule not to break: absence from a list changes
nothing by itself; only what Calendly says of the event does.
"""

from collections.abc import Container, Sequence
from datetime import datetime

from application.bookings.merge_facts import merge_facts
from application.bookings.reassigned_hosts import facts_for_all_hosts
from application.ports.calendly.bookings import CalendlyBookings
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.unit_of_work import Storage
from application.tokens.calendly_session import CalendlySession
from domain.availability import Window
from domain.booking import LAG, Facts
from domain.errors import CalendlyError, CalendlyProtocolError, Kind, SlotkeeperError
from domain.integration import Integration
from domain.reads import as_read

MOST = 10  # events a sweep; each is a call or two of the user's budget


class ReconcileMissing:
    """Looks at each such event on its own, and settles it for whoever hosts it now."""

    def __init__(
        self,
        *,
        storage: Storage,
        session: CalendlySession,
        calendly: CalendlyBookings,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._storage = storage
        self._session = session
        self._calendly = calendly
        self._clock = clock
        self._randomness = randomness

    async def __call__(
        self, integration: Integration, span: Window, listed: Container[str], began: datetime
    ) -> None:
        """Settle what Calendly says of the events that a whole sweep did not list.

        Who neither hosts an event nor is an admin is not told of it (403); then nothing is known
        and nothing changes. No trouble here fails the sweep, whose pages are settled by now: what
        concerns one event passes that one over, anything else leaves the rest to the next sweep.

        Args:
            integration: whose events were swept.
            span: the start times that were swept.
            listed: the URIs of all invitees that were listed.
            began: when the sweep began (UTC).

        """
        async with self._storage() as uow:
            standing = await uow.bookings.standing(integration.id, span, began - LAG)
        events = {event for invitee, event in standing.items() if invitee not in listed}
        for uri in self._some(sorted(events)):
            try:
                await self._settle(integration, await self._read(integration, uri))
            except SlotkeeperError as error:
                if not _concerns_the_event(error):
                    return

    def _some(self, events: Sequence[str]) -> Sequence[str]:
        """Begin anywhere: those that nobody may look at would for ever hide the ones behind."""
        first = int(self._randomness.fraction() * len(events))
        return [*events[first:], *events[:first]][:MOST]

    async def _read(self, integration: Integration, event_uri: str) -> Sequence[Facts]:
        asked_at = self._clock.now()
        found = await self._session.call(
            integration.id, lambda access: self._calendly.of_event(access, event_uri)
        )
        return [as_read(each, asked_at) for each in found]

    async def _settle(self, integration: Integration, facts: Sequence[Facts]) -> None:
        async with self._storage() as uow:
            facts_by_owner = await facts_for_all_hosts(uow, integration, facts)
            changed = await merge_facts(uow, self._randomness, facts_by_owner)
            users = sorted({owner.user_id for owner in changed})
            if users:
                now = self._clock.now()
                await uow.availability.invalidate(users, now, by="reconciliation")
                await uow.commit()


def _concerns_the_event(error: SlotkeeperError) -> bool:
    refused = isinstance(error, CalendlyError) and error.kind is Kind.PERMANENT
    return refused or isinstance(error, CalendlyProtocolError)
