"""Calendly's single-use booking links."""

from typing import Protocol

from domain.token import Access


class CalendlySchedulingLinks(Protocol):
    """Booking pages that accept one booking. Raises the CalendlyError family."""

    async def create_link(self, access: Access, event_type_uri: str) -> str:
        """Return the address of a new booking page. Never repeats the request.

        An unused link does no harm, so the caller may repeat the request after a lost response.

        Raises:
            ScopeMissing: the grant lacks `scheduling_links:write`.
            CalendlyNotFound: there is no such event type.
            CalendlyForbidden: the event type is another organization's.

        """
        ...
