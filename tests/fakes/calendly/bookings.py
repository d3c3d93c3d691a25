"""The fake's scheduled events and invitees, as a host and our service act on them."""

import msgspec

from application.ports.calendly.bookings import BookingRequest, FactsPage
from domain.availability import Window
from domain.booking import BookingStatus, Cancellation, Facts, NoShow
from domain.errors import CalendlyForbidden, SlotTaken
from domain.token import Access
from tests.fakes.calendly.invitees import InviteesSide
from tests.fakes.calendly.world import API, not_found


class BookingsSide(InviteesSide):
    """Implements `CalendlyBookings`."""

    async def page(
        self, access: Access, user_uri: str, span: Window, page: str | None
    ) -> FactsPage:
        """Return the invitees of the next `page_size` events."""
        async with self.call("page"):
            self.authorize(access, "scheduled_events:read")
            found = self._of_host(user_uri, span)
            events = list(dict.fromkeys(each.event_uri for each in found))
            start = int(page or 0)
            shown = set(events[start : start + self.page_size])
            more = start + self.page_size < len(events)
            seats = [each for each in found if each.event_uri in shown]
            read = tuple(each for each in seats if each.invitee_uri not in self.unreadable)
            return FactsPage(
                facts=read,
                next_page=str(start + self.page_size) if more else None,
                unreadable=len(seats) - len(read),
                last_start=max((each.details.start for each in seats), default=None),
            )

    async def find(self, access: Access, user_uri: str, email: str, span: Window) -> list[Facts]:
        """Return the bookings of one e-mail address."""
        async with self.call("find"):
            self.authorize(access, "scheduled_events:read")
            found = self._of_host(user_uri, span)
            return [each for each in found if each.details.invitee.email == email]

    async def find_in_organization(
        self, access: Access, organization_uri: str, email: str, span: Window
    ) -> list[Facts]:
        """Return the bookings of one e-mail address with the hosts of one's own organization."""
        async with self.call("find_in_organization"):
            caller = self.authorize(access, "scheduled_events:read")
            if caller.organization_uri != organization_uri:
                raise CalendlyForbidden("This is another organization.")
            hosts = [
                each.user_uri
                for each in self.accounts.values()
                if each.organization_uri == organization_uri
            ]
            found = [facts for host in hosts for facts in self._of_host(host, span)]
            return [each for each in found if each.details.invitee.email == email]

    async def of_event(self, access: Access, event_uri: str) -> list[Facts]:
        """Return all invitees that an event ever had."""
        async with self.call("of_event"):
            self.authorize(access, "scheduled_events:read")
            found = self._seats(event_uri)
            if not found:
                raise not_found("event")
            return found

    async def invitee(self, access: Access, invitee_uri: str) -> Facts:
        """Return one invitee as it is now."""
        async with self.call("invitee"):
            self.authorize(access, "scheduled_events:read")
            return self.known(invitee_uri)

    async def book(self, access: Access, request: BookingRequest) -> str:
        """Book an open slot; nothing tells a repeated request from a new one."""
        async with self.call("book"):
            self.authorize(access, "scheduled_events:write")
            self.offered(request.event_type_uri)
            if not self.take_seat(request.event_type_uri, request.start):
                raise SlotTaken("The slot is gone.")
            facts = self.seat(
                request.event_type_uri,
                request.start,
                name=request.name,
                email=request.email,
                timezone=request.timezone,
                reference=request.reference,
            )
            return facts.invitee_uri

    async def cancel(self, access: Access, event_uri: str, reason: str | None) -> None:
        """Cancel an event for all invitees; a canceled one stays as it is."""
        async with self.call("cancel"):
            host = self.authorize(access, "scheduled_events:write")
            seats = self._seats(event_uri)
            if not seats:
                raise not_found("event")
            active = [each for each in seats if each.status is BookingStatus.BOOKED]
            if active and active[0].details.start <= self.clock.now():
                raise CalendlyForbidden("Event in the past.")
            for each in active:
                self.close(each, Cancellation(self.clock.now(), host.name, "host", reason))

    async def mark_no_show(self, access: Access, invitee_uri: str) -> NoShow:
        """Mark an invitee; a mark that is set stays."""
        async with self.call("mark_no_show"):
            self.authorize(access, "scheduled_events:write")
            facts = self.known(invitee_uri)
            mark = facts.no_show
            if mark is None:
                uri = f"{API}/invitee_no_shows/MARK{self.number():04}"
                mark = NoShow(at=self.clock.now(), uri=uri)
                self.put(msgspec.structs.replace(facts, no_show=mark))
            return mark

    async def clear_no_show(self, access: Access, no_show_uri: str) -> None:
        """Take a mark back, if it is set."""
        async with self.call("clear_no_show"):
            self.authorize(access, "scheduled_events:write")
            for facts in list(self.invitees.values()):
                if facts.no_show is not None and facts.no_show.uri == no_show_uri:
                    self.put(msgspec.structs.replace(facts, no_show=None))

    def _seats(self, event_uri: str) -> list[Facts]:
        return [each for each in self.invitees.values() if each.event_uri == event_uri]

    def _of_host(self, user_uri: str, span: Window) -> list[Facts]:
        found = [
            each
            for each in self.invitees.values()
            if user_uri in each.details.host_uris and span.start <= each.details.start < span.end
        ]
        return sorted(found, key=lambda each: (each.details.start, each.event_uri))
