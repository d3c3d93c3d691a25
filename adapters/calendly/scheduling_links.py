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
        """Calendly accepts only 1 as `max_event_count`.

        It answers 404 for an unknown event type. It answers 403 for another organization's event
        type, or if the scope is missing, which it then names.
        """
        body = {"max_event_count": 1, "owner": event_type_uri, "owner_type": "EventType"}
        link = await self._api.post(access, "/scheduling_links", body, Resource[SchedulingLink])
        return link.booking_url
