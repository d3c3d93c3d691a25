"""The fake's single-use links."""

from domain.token import Access
from tests.fakes.calendly.availability import AvailabilitySide


class SchedulingLinksSide(AvailabilitySide):
    """Implements `CalendlySchedulingLinks`."""

    async def create_link(self, access: Access, event_type_uri: str) -> str:
        """Return a new address of an event type of the caller's organization."""
        async with self.call("create_link"):
            caller = self.authorize(access, "scheduling_links:write")
            slug = self.readable(caller, event_type_uri).slug
            url = f"https://calendly.com/d/link-{self.number()}/{slug}"
            self.links[url] = event_type_uri
            return url
