"""Calendly's single-use booking links."""

from typing import Protocol

from domain.token import Access


class CalendlySchedulingLinks(Protocol):
    """Booking pages that are good for one booking. Raises the CalendlyError family."""

    async def create_link(self, access: Access, event_type_uri: str) -> str:
        """Return the address of a new booking page. Never repeats by itself.

        A link that nobody was told of does no harm, so asking again after a lost answer is safe.

        Raises:
            ScopeMissing: the grant lacks `scheduling_links:write`.
            CalendlyNotFound: there is no such event type.
            CalendlyForbidden: it is another organization's.

        """
        ...
