"""Make a single-use booking link for one of a user's event types.

No idempotency key and no journal: a link that nobody was given is never used and costs nothing,
so whoever lost the answer asks again and gets another link. Nothing is repeated from here.
"""

import msgspec

from application.availability.read_slots import ReadAvailability
from application.ports.calendly.scheduling_links import CalendlySchedulingLinks
from application.ports.storage.unit_of_work import Storage
from application.tokens.calendly_session import CalendlySession
from application.tokens.connected import usable_integration_of
from domain.ids import IntegrationId, UserId


class SchedulingLink(msgspec.Struct, frozen=True):
    """A booking page that takes one booking of an event type."""

    integration_id: IntegrationId
    event_type_uri: str
    booking_url: str


class CreateSchedulingLink:
    """Asks Calendly for one new link a call."""

    def __init__(
        self,
        *,
        storage: Storage,
        session: CalendlySession,
        calendly: CalendlySchedulingLinks,
        availability: ReadAvailability,
    ) -> None:
        self._storage = storage
        self._session = session
        self._calendly = calendly
        self._availability = availability

    async def __call__(self, user_id: UserId, event_type: str) -> SchedulingLink:
        """Make a link.

        Args:
            user_id: whose.
            event_type: its Calendly URI, or the last segment of it.

        Raises:
            IntegrationNotFound, ReauthRequired.
            EventTypeNotFound: the user has no active event type of that name.
            ScopeMissing: the user's grant is from before links were asked for, or declined them.
            CalendlyUncertain: the answer was lost; asking again is safe.
            And what ReadAvailability.event_type and the CalendlyError family raise.

        """
        integration = await usable_integration_of(self._storage, user_id)
        wanted = await self._availability.event_type(user_id, event_type)
        url = await self._session.call(
            integration.id, lambda access: self._calendly.create_link(access, wanted.uri)
        )
        return SchedulingLink(integration.id, wanted.uri, url)
