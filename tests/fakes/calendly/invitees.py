"""The acts of invitees at the fake Calendly: book, reschedule, cancel."""

from datetime import datetime, timedelta

import msgspec

from domain.booking import (
    BookingStatus,
    Cancellation,
    Details,
    Facts,
    Invitee,
    Links,
    Location,
)
from domain.errors import SlotTaken
from domain.secret import Secret
from tests.fakes.calendly.availability import AvailabilitySide
from tests.fakes.calendly.world import API, not_found


class InviteesSide(AvailabilitySide):
    """Acts that no API offers; each returns the facts a webhook would carry."""

    def invitee_books(
        self,
        event_type_uri: str,
        start: datetime,
        *,
        name: str = "Grace Invitee",
        email: str = "grace@example.net",
    ) -> Facts:
        """Book an open slot (start in UTC)."""
        if not self.take_seat(event_type_uri, start):
            raise SlotTaken("The slot is gone.")
        return self.seat(event_type_uri, start, name=name, email=email, timezone="UTC")

    def invitee_cancels(self, invitee_uri: str, reason: str | None = None) -> Facts:
        """Cancel a seat and open the slot again."""
        facts = self.known(invitee_uri)
        return self.close(facts, self._left(facts, reason))

    def invitee_reschedules(self, invitee_uri: str, start: datetime) -> tuple[Facts, Facts]:
        """Move to another open slot; return the old and the new invitee's facts."""
        old = self.known(invitee_uri)
        event_type_uri = old.details.event_type_uri
        if event_type_uri is None:
            raise not_found("event type")
        invitee = old.details.invitee
        if not self.take_seat(event_type_uri, start):
            raise SlotTaken("The slot is gone.")
        new = self.seat(
            event_type_uri,
            start,
            name=invitee.name,
            email=invitee.email,
            timezone=invitee.timezone,
            predecessor=old.invitee_uri,
        )
        closed = self.close(old, self._left(old, None), successor=new.invitee_uri)
        return closed, new

    def seat(
        self,
        event_type_uri: str,
        start: datetime,
        *,
        name: str,
        email: str,
        timezone: str | None,
        reference: str | None = None,
        predecessor: str | None = None,
    ) -> Facts:
        """Make the invitee of a seat that was taken; a group's share one event."""
        event_type, now = self.offered(event_type_uri), self.clock.now()
        kinds = event_type.location_kinds
        event_uri = self._event_at(event_type_uri, start, group=event_type.kind == "group")
        invitee_id = f"INVITEE{self.number():04}"
        facts = Facts(
            invitee_uri=f"{event_uri}/invitees/{invitee_id}",
            event_uri=event_uri,
            status=BookingStatus.BOOKED,
            created_at=now,
            details=Details(
                updated_at=now,
                event_type_uri=event_type_uri,
                event_name=event_type.name,
                start=start,
                end=start + timedelta(minutes=event_type.duration),
                invitee=Invitee(name=name, email=email, timezone=timezone),
                location=Location(kind=kinds[0]) if kinds else None,
                host_uris=(self.host_of(event_type_uri),),
                calendar_event_id=f"calendar-{event_uri.rpartition('/')[2]}",
            ),
            predecessor=predecessor,
            reference=reference,
            links=Links(
                cancel=Secret(f"https://calendly.com/cancellations/{invitee_id}"),
                reschedule=Secret(f"https://calendly.com/reschedulings/{invitee_id}"),
            ),
        )
        self.put(facts)
        return facts

    def close(
        self, facts: Facts, cancellation: Cancellation, successor: str | None = None
    ) -> Facts:
        """Cancel a seat, or hand it over to its successor; the slot opens again."""
        details = msgspec.structs.replace(facts.details, updated_at=self.clock.now())
        closed = msgspec.structs.replace(
            facts,
            status=BookingStatus.RESCHEDULED if successor else BookingStatus.CANCELED,
            details=details,
            cancellation=cancellation,
            successor=successor,
        )
        self.put(closed)
        if details.event_type_uri is not None:
            self.open_slots(details.event_type_uri, [details.start])
        return closed

    def known(self, invitee_uri: str) -> Facts:
        """Return an invitee of any host."""
        facts = self.invitees.get(invitee_uri)
        if facts is None:
            raise not_found("invitee")
        return facts

    def put(self, facts: Facts) -> None:
        """Store an invitee."""
        self.invitees[facts.invitee_uri] = facts

    def _left(self, facts: Facts, reason: str | None) -> Cancellation:
        return Cancellation(self.clock.now(), facts.details.invitee.name, "invitee", reason)

    def _event_at(self, event_type_uri: str, start: datetime, *, group: bool) -> str:
        for each in self.invitees.values():
            active = each.status is BookingStatus.BOOKED and each.details.start == start
            if group and active and each.details.event_type_uri == event_type_uri:
                return each.event_uri
        return f"{API}/scheduled_events/EVENT{self.number():04}"
