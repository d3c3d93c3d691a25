"""Bookings at Calendly: read, make, cancel, mark."""

from datetime import datetime
from typing import Protocol

import msgspec

from domain.availability import Window
from domain.booking import Facts, NoShow
from domain.redacted_repr import RedactedRepr
from domain.token import Access

REFERENCE_PREFIX = "slotkeeper:"
"""What our own tokens in `utm_content` begin with, so that others' are left alone."""


class Answer(RedactedRepr, msgspec.Struct, frozen=True):
    """An invitee's answer to one custom question; `question` is its exact text."""

    shown = ("position",)
    question: str
    answer: str
    position: int


class BookingRequest(RedactedRepr, msgspec.Struct, frozen=True):
    """What is needed to book for an invitee (Calendly: POST /invitees).

    Args:
        start: an open slot's start (UTC).
        reference: our own token, by which the booking is recognised after a lost answer.

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
        facts: of every invitee that could be read.
        next_page: the token of the next page, or None after the last.
        unreadable: how many events and invitees were passed over, being of no known shape.

    """

    facts: tuple[Facts, ...]
    next_page: str | None
    unreadable: int = 0


class CalendlyBookings(Protocol):
    """Scheduled events and their invitees. All methods raise the CalendlyError family."""

    async def page(
        self, access: Access, user_uri: str, span: Window, page: str | None
    ) -> FactsPage:
        """Return the invitees of a page of events that start within the span, any status.

        One that cannot be read is passed over and counted: it must not hide the others.
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
        """Return what Calendly says now of everybody who was ever invited to an event.

        Raises:
            CalendlyNotFound: there is no such event.

        """
        ...

    async def invitee(self, access: Access, invitee_uri: str) -> Facts:
        """Return what Calendly says of one invitee now.

        Raises:
            CalendlyNotFound: there is no such invitee.

        """
        ...

    async def book(self, access: Access, request: BookingRequest) -> str:
        """Book for an invitee and return the invitee's URI. Never repeats by itself.

        Raises:
            SlotTaken: the slot is gone.
            CalendlyNotFound: the event type is no longer offered.
            CalendlyUncertain: it may have been booked: look it up before repeating.

        """
        ...

    async def cancel(self, access: Access, event_uri: str, reason: str | None) -> None:
        """Cancel a whole event; one that is canceled already counts as canceled."""
        ...

    async def mark_no_show(self, access: Access, invitee_uri: str) -> NoShow:
        """Mark an invitee as a no-show; one that is marked already keeps its mark."""
        ...

    async def clear_no_show(self, access: Access, no_show_uri: str) -> None:
        """Take the mark back; one that is gone already counts as taken back."""
        ...
