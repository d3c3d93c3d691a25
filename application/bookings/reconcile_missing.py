"""Reconcile events that are active here and that Calendly no longer lists for the user.

They were reassigned to another host, or are gone. Absence from a list changes nothing by itself;
only what Calendly returns for the event does.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
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

MAX_EVENTS = 10  # per run; each costs a call or two of the user's rate limit


@dataclass(frozen=True, kw_only=True)
class ReconcileMissing:
    """Reads each such event by itself, and merges its facts for its current hosts."""

    storage: Storage
    session: CalendlySession
    calendly: CalendlyBookings
    clock: Clock
    randomness: Randomness

    async def reconcile(
        self, integration: Integration, span: Window, listed: Container[str], began: datetime
    ) -> None:
        """Merge what Calendly returns for the events that a complete run did not list.

        Calendly refuses an event (403) to a user who is neither a host nor an admin; then nothing
        changes. An error never fails the run, whose pages are already merged. An error of one event
        skips that event; any other error leaves the rest to the next run.

        Args:
            integration: the owner of the events.
            span: the window of start times.
            listed: the URIs of all listed invitees.
            began: when the run began (UTC).

        """
        async with self.storage() as uow:
            stored = await uow.bookings.active_events(integration.id, span, began - LAG)
        events = {event for invitee, event in stored.items() if invitee not in listed}
        for uri in self._some(sorted(events)):
            try:
                await self._merge(integration, await self._read(integration, uri))
            except SlotkeeperError as error:
                if not _concerns_the_event(error):
                    return

    def _some(self, events: Sequence[str]) -> Sequence[str]:
        """Start at a random event, so that refused events never keep the others from their turn."""
        first = int(self.randomness.fraction() * len(events))
        return [*events[first:], *events[:first]][:MAX_EVENTS]

    async def _read(self, integration: Integration, event_uri: str) -> Sequence[Facts]:
        read_at = self.clock.now()
        facts = await self.session.call(
            integration.id, lambda access: self.calendly.of_event(access, event_uri)
        )
        return [as_read(each, read_at) for each in facts]

    async def _merge(self, integration: Integration, facts: Sequence[Facts]) -> None:
        async with self.storage() as uow:
            facts_by_owner = await facts_for_all_hosts(uow, integration, facts)
            changed = await merge_facts(uow, self.randomness, facts_by_owner)
            users = sorted({owner.user_id for owner in changed})
            if users:
                now = self.clock.now()
                await uow.availability.invalidate(users, now, by="reconciliation")
                await uow.commit()


def _concerns_the_event(error: SlotkeeperError) -> bool:
    refused = isinstance(error, CalendlyError) and error.kind is Kind.PERMANENT
    return refused or isinstance(error, CalendlyProtocolError)
