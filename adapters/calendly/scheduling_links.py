"""Single-use booking links (Calendly: Create Single-Use Scheduling Link)."""

from adapters.calendly.api import CalendlyApi
from adapters.calendly.wire.envelopes import Resource
from adapters.calendly.wire.scheduling_links import SchedulingLink
from domain.token import Access


class CalendlySchedulingLinksGateway:
    """Implements `CalendlySchedulingLinks`."""

    def __init__(self, api: CalendlyApi) -> None:
        self._api = api

    async def create_link(self, access: Access, event_type_uri: str) -> str:
        """Return the address of a booking page that takes one booking.

        Calendly takes no other `max_event_count` than 1. It answers 404 for an unknown event type
        and 403 for another organization's or for want of the scope, which it then names.
        """
        body = {"max_event_count": 1, "owner": event_type_uri, "owner_type": "EventType"}
        made = await self._api.post(access, "/scheduling_links", body, Resource[SchedulingLink])
        return made.booking_url
