"""Scheduled events and their invitees: read, book, cancel, mark.

No request that books, cancels or marks is repeated here. Facts come from the same translation as a
webhook's facts, so both sources give the same booking.
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
    CalendlyProtocolError,
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
        page_size: events per page. Each needs another request for its invitees, and a page must
            fit into the Free plan's 50 requests per minute.
        at_once: the maximum of concurrent requests.

    """

    def __init__(self, api: CalendlyApi, *, page_size: int = 25, at_once: int = 8) -> None:
        self._api = api
        self._page_size = page_size
        self._at_once = at_once

    async def page(
        self, access: Access, user_uri: str, span: Window, page: str | None
    ) -> FactsPage:
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
            last_start=max((utc(event.start_time) for event in events), default=None),
        )

    async def find(self, access: Access, user_uri: str, email: str, span: Window) -> list[Facts]:
        return await self._find(access, _events_of("user", user_uri, span), email, span)

    async def find_in_organization(
        self, access: Access, organization_uri: str, email: str, span: Window
    ) -> list[Facts]:
        params = _events_of("organization", organization_uri, span)
        return await self._find(access, params, email, span)

    async def of_event(self, access: Access, event_uri: str) -> list[Facts]:
        path = path_of(event_uri, "scheduled_events")
        params = {"count": "100"}
        found = await self._api.get_all(access, f"{path}/invitees", Collection[Invitee], params)
        event = await self._api.get_leniently(access, path, Resource[ScheduledEvent])
        return [to_facts(each, event) for each in found]

    async def invitee(self, access: Access, invitee_uri: str) -> Facts:
        path = path_of(invitee_uri, "scheduled_events", "invitees")
        event_path = path.rpartition("/invitees/")[0]
        invitee = await self._api.get_leniently(access, path, Resource[Invitee])
        event = await self._api.get_leniently(access, event_path, Resource[ScheduledEvent])
        return to_facts(invitee, event)

    async def book(self, access: Access, request: BookingRequest) -> str:
        """Calendly's 404 means the event type or the time slot; a read of the event type decides."""
        try:
            invitee = await self._api.post(
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
        return invitee.uri

    async def cancel(self, access: Access, event_uri: str, reason: str | None) -> None:
        try:
            await self._cancel(access, event_uri, reason)
        except CalendlyRejected:
            if not reason:
                raise
            # Calendly documents the reason as optional, but has been seen to refuse every reason.
            # A refused request changed nothing, so this is another request, not a repetition.
            await self._cancel(access, event_uri, None)

    async def mark_no_show(self, access: Access, invitee_uri: str) -> NoShow:
        """Calendly does not document how it refuses a second mark; a read of the invitee decides."""
        path = path_of(invitee_uri, "scheduled_events", "invitees")
        try:
            mark = await self._api.post(
                access, "/invitee_no_shows", {"invitee": invitee_uri}, Resource[NewNoShow]
            )
        except (CalendlyConflict, CalendlyRejected, CalendlyForbidden):
            invitee = await self._api.get_leniently(access, path, Resource[Invitee])
            if invitee.no_show is None:
                raise
            return to_no_show(invitee.no_show, invitee.updated_at or invitee.created_at)
        return NoShow(at=utc(mark.created_at), uri=mark.uri)

    async def clear_no_show(self, access: Access, no_show_uri: str) -> None:
        await self._api.act(access, "DELETE", path_of(no_show_uri, "invitee_no_shows"), is_gone)

    async def _cancel(self, access: Access, event_uri: str, reason: str | None) -> None:
        path = path_of(event_uri, "scheduled_events") + "/cancellation"
        body = {"reason": reason} if reason else {}
        await self._api.act(access, "POST", path, is_canceled_already, body)

    async def _is_gone(self, access: Access, event_type_uri: str) -> bool:
        """Whether an event type is known to be no longer offered."""
        try:
            path = path_of(event_type_uri, "event_types")
            event_type = (await self._api.get(access, path, Resource[EventType])).resource
        except CalendlyNotFound:
            return True
        except CalendlyError:
            return False
        return not event_type.active or event_type.deleted_at is not None

    async def _find(
        self, access: Access, params: dict[str, str], email: str, span: Window
    ) -> list[Facts]:
        params |= {"invitee_email": email, "count": "100"}
        events = await self._api.get_all(access, _EVENTS, Collection[ScheduledEvent], params)
        facts = await each(
            _within(span, events),
            lambda event: self._facts_of(access, event, {"email": email}),
            at_once=self._at_once,
        )
        return list(chain.from_iterable(facts))

    async def _facts_of(
        self, access: Access, event: ScheduledEvent, filters: dict[str, str]
    ) -> list[Facts]:
        invitees = await self._invitees_of(access, event, Collection[Invitee], filters)
        return [to_facts(invitee, event) for invitee in invitees]

    async def _readable_facts_of(
        self, access: Access, event: ScheduledEvent
    ) -> tuple[list[Facts], int]:
        try:
            items = await self._invitees_of(access, event, Collection[msgspec.Raw], {})
        except CalendlyProtocolError as error:
            if not error.unreadable:
                raise
            return [], 1  # one event whose invitees cannot be read hides no other one
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
            # An event erased since it was listed, or of an organization that the user has left:
            # Calendly lists such an event but refuses to show it. It must not stop the rest.
            return []


def _events_of(whose: str, uri: str, span: Window) -> dict[str, str]:
    return {
        whose: uri,
        "min_start_time": to_wire(span.start),
        "max_start_time": to_wire(span.end),
        "sort": "start_time:asc",
    }


def _within(span: Window, events: list[ScheduledEvent]) -> list[ScheduledEvent]:
    """Leave out events that start at the end: Calendly does not document if it includes them."""
    return [event for event in events if span.start <= event.start_time < span.end]
