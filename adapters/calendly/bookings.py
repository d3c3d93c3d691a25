"""Scheduled events and their invitees: read, book, cancel, mark.

The rule not to break: nothing that books, cancels or marks is repeated here. Facts are made by
the same translation as a webhook's, so that both roads lead to the same booking.
"""

from itertools import chain
from typing import TypeVar

import msgspec

from adapters.calendly.api import CalendlyApi, page_params
from adapters.calendly.api_errors import is_canceled_already, is_gone
from adapters.calendly.concurrency import each
from adapters.calendly.rate_budget import Allowance
from adapters.calendly.translation.booking_requests import to_body
from adapters.calendly.translation.facts import to_facts, to_no_show
from adapters.calendly.translation.readable import readable
from adapters.calendly.translation.times import to_wire, utc
from adapters.calendly.uris import path_of
from adapters.calendly.wire.envelopes import Collection, Resource
from adapters.calendly.wire.event_types import EventType
from adapters.calendly.wire.invitees import Invitee, InviteeUri, NewNoShow
from adapters.calendly.wire.scheduled_events import ScheduledEvent
from application.ports.calendly.bookings import BookingRequest, FactsPage
from domain.availability import Window
from domain.booking import Facts, NoShow
from domain.errors import (
    CalendlyConflict,
    CalendlyError,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyRejected,
    SlotTaken,
)
from domain.token import Access

T = TypeVar("T")

_EVENTS = "/scheduled_events"


class CalendlyBookingsGateway:
    """Implements `CalendlyBookings`.

    Args:
        api: the calls.
        page_size: events a page. Each costs another request for its invitees, so a page has to
            fit well into the Free plan's 50 requests a minute, or it could never be read.
        at_once: requests that run together at most.

    """

    def __init__(self, api: CalendlyApi, *, page_size: int = 25, at_once: int = 8) -> None:
        self._api = api
        self._page_size = page_size
        self._at_once = at_once

    async def page(
        self, access: Access, user_uri: str, span: Window, page: str | None
    ) -> FactsPage:
        """Return the invitees of a page of events that start within the span, any status."""
        params = _events_of("user", user_uri, span) | {"count": str(self._page_size)}
        answer = await self._api.get(
            access, _EVENTS, Collection[msgspec.Raw], page_params(params, page)
        )
        events, unreadable = readable(answer.collection, ScheduledEvent)
        found = await each(
            _within(span, events),
            lambda event: self._readable_facts_of(access, event),
            at_once=self._at_once,
        )
        return FactsPage(
            facts=tuple(chain.from_iterable(facts for facts, _ in found)),
            next_page=answer.pagination.next_page_token,
            unreadable=unreadable + sum(count for _, count in found),
        )

    async def find(self, access: Access, user_uri: str, email: str, span: Window) -> list[Facts]:
        """Return the bookings of one invitee that start within the span."""
        return await self._found(access, _events_of("user", user_uri, span), email, span)

    async def find_in_organization(
        self, access: Access, organization_uri: str, email: str, span: Window
    ) -> list[Facts]:
        """Return one invitee's bookings within the span with any host of an organization."""
        params = _events_of("organization", organization_uri, span)
        return await self._found(access, params, email, span)

    async def of_event(self, access: Access, event_uri: str) -> list[Facts]:
        """Return what Calendly says now of everybody who was ever invited to an event."""
        path = path_of(event_uri, "scheduled_events")
        params = {"count": "100"}
        found = await self._api.get_all(access, f"{path}/invitees", Collection[Invitee], params)
        event = (await self._api.get(access, path, Resource[ScheduledEvent])).resource
        return [to_facts(each, event) for each in found]

    async def invitee(self, access: Access, invitee_uri: str) -> Facts:
        """Return what Calendly says of one invitee now: the invitee and its event."""
        path = path_of(invitee_uri, "scheduled_events", "invitees")
        event_path = path.rpartition("/invitees/")[0]
        invitee = (await self._api.get(access, path, Resource[Invitee])).resource
        event = (await self._api.get(access, event_path, Resource[ScheduledEvent])).resource
        return to_facts(invitee, event)

    async def book(self, access: Access, request: BookingRequest) -> str:
        """Book for an invitee and return the invitee's URI. Never repeats by itself.

        Calendly's 404 is for an event type or a time slot; which of them is settled by looking.
        """
        try:
            made = await self._api.post(
                access,
                "/invitees",
                to_body(request),
                Resource[InviteeUri],
                allowance=Allowance.BOOKINGS,
            )
        except CalendlyNotFound:
            if await self._is_gone(access, request.event_type_uri):
                raise CalendlyNotFound(
                    "This event type is no longer offered at Calendly."
                ) from None
            raise SlotTaken("The time slot is no longer open; pick another one.") from None
        return made.uri

    async def cancel(self, access: Access, event_uri: str, reason: str | None) -> None:
        """Cancel a whole event; one that is canceled already counts as canceled."""
        try:
            await self._cancel(access, event_uri, reason)
        except CalendlyRejected:
            if not reason:
                raise
            # Calendly documents the reason as optional, yet was seen to refuse every reason.
            # What was refused has changed nothing, so this is another request, not a repetition.
            await self._cancel(access, event_uri, None)

    async def mark_no_show(self, access: Access, invitee_uri: str) -> NoShow:
        """Mark an invitee as a no-show; one that is marked already keeps its mark.

        How Calendly refuses a second mark is not documented, so a refusal is settled by looking.
        """
        path = path_of(invitee_uri, "scheduled_events", "invitees")
        try:
            mark = await self._api.post(
                access, "/invitee_no_shows", {"invitee": invitee_uri}, Resource[NewNoShow]
            )
        except (CalendlyConflict, CalendlyRejected, CalendlyForbidden):
            invitee = (await self._api.get(access, path, Resource[Invitee])).resource
            if invitee.no_show is None:
                raise
            return to_no_show(invitee.no_show, invitee.updated_at or invitee.created_at)
        return NoShow(at=utc(mark.created_at), uri=mark.uri)

    async def clear_no_show(self, access: Access, no_show_uri: str) -> None:
        """Take the mark back; one that is gone already counts as taken back."""
        await self._api.act(access, "DELETE", path_of(no_show_uri, "invitee_no_shows"), is_gone)

    async def _cancel(self, access: Access, event_uri: str, reason: str | None) -> None:
        path = path_of(event_uri, "scheduled_events") + "/cancellation"
        body = {"reason": reason} if reason else {}
        await self._api.act(access, "POST", path, is_canceled_already, body)

    async def _is_gone(self, access: Access, event_type_uri: str) -> bool:
        """Whether an event type is known not to be offered any more."""
        try:
            path = path_of(event_type_uri, "event_types")
            found = (await self._api.get(access, path, Resource[EventType])).resource
        except CalendlyNotFound:
            return True
        except CalendlyError:
            return False
        return not found.active or found.deleted_at is not None

    async def _found(
        self, access: Access, params: dict[str, str], email: str, span: Window
    ) -> list[Facts]:
        wanted = params | {"invitee_email": email, "count": "100"}
        events = await self._api.get_all(access, _EVENTS, Collection[ScheduledEvent], wanted)
        return await self._facts(access, _within(span, events), {"email": email})

    async def _facts(
        self, access: Access, events: list[ScheduledEvent], filters: dict[str, str]
    ) -> list[Facts]:
        async def of_event(event: ScheduledEvent) -> list[Facts]:
            return await self._facts_of(access, event, filters)

        return list(chain.from_iterable(await each(events, of_event, at_once=self._at_once)))

    async def _facts_of(
        self, access: Access, event: ScheduledEvent, filters: dict[str, str]
    ) -> list[Facts]:
        invitees = await self._invitees_of(access, event, Collection[Invitee], filters)
        return [to_facts(invitee, event) for invitee in invitees]

    async def _readable_facts_of(
        self, access: Access, event: ScheduledEvent
    ) -> tuple[list[Facts], int]:
        items = await self._invitees_of(access, event, Collection[msgspec.Raw], {})
        invitees, unreadable = readable(items, Invitee)
        return [to_facts(invitee, event) for invitee in invitees], unreadable

    async def _invitees_of(
        self,
        access: Access,
        event: ScheduledEvent,
        into: type[Collection[T]],
        filters: dict[str, str],
    ) -> list[T]:
        path = path_of(event.uri, "scheduled_events") + "/invitees"
        try:
            return await self._api.get_all(access, path, into, {**filters, "count": "100"})
        except (CalendlyNotFound, CalendlyForbidden):
            # Erased since the list was made, or an event of an organization the user has left:
            # Calendly lists those but does not open them. One such must not stop the rest.
            return []


def _events_of(whose: str, uri: str, span: Window) -> dict[str, str]:
    return {
        whose: uri,
        "min_start_time": to_wire(span.start),
        "max_start_time": to_wire(span.end),
        "sort": "start_time:asc",
    }


def _within(span: Window, events: list[ScheduledEvent]) -> list[ScheduledEvent]:
    """Leave out what starts at the very end: whether Calendly includes it is not documented."""
    return [event for event in events if span.start <= event.start_time < span.end]
