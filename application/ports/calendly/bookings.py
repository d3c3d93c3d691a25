"""Bookings at Calendly: read, create, cancel, mark."""

from datetime import datetime
from typing import Protocol

import msgspec

from domain.availability import Window
from domain.booking import Facts, NoShow
from domain.redacted_repr import RedactedRepr
from domain.token import Access

REFERENCE_PREFIX = "slotkeeper:"
"""The prefix of our own references in `utm_content`; other values there are ignored."""


class Answer(RedactedRepr, msgspec.Struct, frozen=True):
    """An invitee's answer to one custom question; `question` is its exact text."""

    shown = ("position",)
    question: str
    answer: str
    position: int


class BookingRequest(RedactedRepr, msgspec.Struct, frozen=True):
    """A request to book for an invitee (Calendly: POST /invitees).

    Args:
        start: an open slot's start (UTC).
        reference: our own token, which identifies the booking after a lost response.

    """

    shown = ("event_type_uri", "start", "reference")
    event_type_uri: str
    start: datetime
    name: str
    email: str
    timezone: str
    reference: str
    location_kind: str | None = None
    location: str | None = None
    answers: tuple[Answer, ...] = ()
    guests: tuple[str, ...] = ()


class FactsPage(msgspec.Struct, frozen=True):
    """A page of facts.

    Args:
        facts: the facts of every readable invitee.
        next_page: the token of the next page; None on the last page.
        unreadable: the number of events and invitees that were skipped because of unknown content.
        last_start: the latest start (UTC) of a readable event of the page; None without any.

    """

    facts: tuple[Facts, ...]
    next_page: str | None
    unreadable: int = 0
    last_start: datetime | None = None


class CalendlyBookings(Protocol):
    """Scheduled events and their invitees. All methods raise the CalendlyError family."""

    async def page(
        self, access: Access, user_uri: str, span: Window, page: str | None
    ) -> FactsPage:
        """Return the invitees of a page of events that start within the span, any status.

        An unreadable event or invitee is skipped and counted: it must not hide the others.
        """
        ...

    async def find(self, access: Access, user_uri: str, email: str, span: Window) -> list[Facts]:
        """Return the bookings of one invitee that start within the span."""
        ...

    async def find_in_organization(
        self, access: Access, organization_uri: str, email: str, span: Window
    ) -> list[Facts]:
        """Return one invitee's bookings within the span with any host of an organization.

        Raises:
            CalendlyForbidden: the user is neither its owner nor an admin of it.

        """
        ...

    async def of_event(self, access: Access, event_uri: str) -> list[Facts]:
        """Return the current facts of every invitee an event has ever had.

        Raises:
            CalendlyNotFound: there is no such event.

        """
        ...

    async def invitee(self, access: Access, invitee_uri: str) -> Facts:
        """Return the current facts of one invitee.

        Raises:
            CalendlyNotFound: there is no such invitee.

        """
        ...

    async def book(self, access: Access, request: BookingRequest) -> str:
        """Book for an invitee and return the invitee's URI. Never repeats the request.

        Raises:
            SlotTaken: the slot is gone.
            CalendlyNotFound: the event type is no longer offered.
            CalendlyUncertain: Calendly may have booked: search before repeating.

        """
        ...

    async def cancel(self, access: Access, event_uri: str, reason: str | None) -> None:
        """Cancel a whole event; an event that is already canceled counts as canceled."""
        ...

    async def mark_no_show(self, access: Access, invitee_uri: str) -> NoShow:
        """Mark an invitee as a no-show; an existing mark is kept."""
        ...

    async def clear_no_show(self, access: Access, no_show_uri: str) -> None:
        """Remove a mark; a missing mark counts as removed."""
        ...
