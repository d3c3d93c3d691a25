"""Create a single-use booking link for one of a user's event types.

There is no idempotency key: an unused link costs nothing. A caller that lost the response repeats
the request and gets another link. The service itself never repeats it.
"""

from dataclasses import dataclass

import msgspec

from application.availability.read_slots import ReadAvailability
from application.ports.calendly.scheduling_links import CalendlySchedulingLinks
from application.ports.storage.unit_of_work import Storage
from application.tokens.calendly_session import CalendlySession
from application.tokens.connected import usable_integration_of
from domain.ids import IntegrationId, UserId


class SchedulingLink(msgspec.Struct, frozen=True):
    """A booking page that accepts one booking of an event type."""

    integration_id: IntegrationId
    event_type_uri: str
    booking_url: str


@dataclass(frozen=True, kw_only=True)
class CreateSchedulingLink:
    """Each call creates one link at Calendly."""

    storage: Storage
    session: CalendlySession
    calendly: CalendlySchedulingLinks
    availability: ReadAvailability

    async def __call__(self, user_id: UserId, event_type: str) -> SchedulingLink:
        """Create a link.

        Args:
            user_id: the owner of the event type.
            event_type: its Calendly URI, or the last segment of it.

        Raises:
            IntegrationNotFound, ReauthRequired.
            EventTypeNotFound: the user has no active event type of that name.
            ScopeMissing: the user's grant does not include scheduling links.
            CalendlyUncertain: the response was lost; repeating the request is safe.
            Further errors of ReadAvailability.event_type, and the CalendlyError family.

        """
        integration = await usable_integration_of(self.storage, user_id)
        offered = await self.availability.event_type(user_id, event_type)
        url = await self.session.call(
            integration.id, lambda access: self.calendly.create_link(access, offered.uri)
        )
        return SchedulingLink(integration.id, offered.uri, url)
