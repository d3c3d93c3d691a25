"""Bookings in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from application.ports.storage.bookings import BookingQuery, Holder, Owner
from domain.availability import Window
from domain.booking import Booking, Links, is_hosted_by
from domain.ids import BookingId, IntegrationId, UserId
from domain.integration import Integration, Status
from tests.fakes.state import State


class FakeBookings:
    """Implements the Bookings port; units of work run one at a time, so locks are free."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def lock(
        self, integration_ids: Sequence[IntegrationId], account_uris: Sequence[str]
    ) -> Sequence[Owner]:
        """Return the owners; nothing to lock."""
        rows = sorted(self._state.integrations.items())
        return [
            Owner.of(row.value)
            for _, row in rows
            if row.value.id in integration_ids or row.value.account.user_uri in account_uris
        ]

    async def related(
        self,
        named: Mapping[IntegrationId, Collection[str]],
        events: Mapping[IntegrationId, Mapping[str, bool]],
    ) -> Mapping[IntegrationId, Mapping[str, Booking]]:
        """Read the related rows of each integration."""
        return {
            owner: self._related(owner, set(uris), events.get(owner, {}))
            for owner, uris in named.items()
        }

    def _related(
        self, integration_id: IntegrationId, uris: set[str], events: Mapping[str, bool]
    ) -> dict[str, Booking]:
        return {
            uri: booking
            for (owner, uri), booking in sorted(self._state.bookings.items())
            if owner == integration_id
            and (
                uris & {uri, booking.facts.predecessor, booking.facts.successor}
                or _shares_event(booking, events)
            )
        }

    async def held_elsewhere(
        self, integration_id: IntegrationId, invitee_uris: Sequence[str]
    ) -> Mapping[str, Sequence[Holder]]:
        """Return the colleagues who have them."""
        found: dict[str, list[Holder]] = {}
        for (holder, uri), booking in sorted(self._state.bookings.items()):
            mine, other = (self._value(each) for each in (integration_id, holder))
            if mine is None or other is None or mine.id == other.id or uri not in invitee_uris:
                continue
            same = mine.account.organization_uri == other.account.organization_uri
            if same and other.status is not Status.DISCONNECTING:
                owner = Owner(other.id, other.user_id, other.account.user_uri)
                hosts = is_hosted_by(booking.facts, owner.account_uri)
                found.setdefault(uri, []).append(Holder(owner, hosts=hosts))
        return found

    async def active_events(
        self, integration_id: IntegrationId, span: Window, made_before: datetime
    ) -> Mapping[str, str]:
        """Return the events of the active bookings."""
        return {
            uri: booking.facts.event_uri
            for (owner, uri), booking in self._state.bookings.items()
            if owner == integration_id
            and booking.is_open
            and span.start <= booking.facts.details.start < span.end
            and booking.facts.created_at < made_before
            and self._is_hosted(booking)
        }

    async def put(self, bookings: Sequence[Booking]) -> None:
        """Insert or replace; the id that a booking got first stays."""
        for booking in bookings:
            integration = self._state.integrations.get(booking.integration_id)
            if integration is None or integration.value.user_id != booking.user_id:
                continue
            at = (booking.integration_id, booking.facts.invitee_uri)
            known = self._state.bookings.get(at)
            stored = booking if known is None else _over(known, booking)
            self._state.bookings[at] = stored

    async def find(self, user_id: UserId, booking_id: BookingId) -> Booking | None:
        """Read one by its id and its user."""
        return next((each for each in self._all_of(user_id) if each.id == booking_id), None)

    async def by_invitee(self, user_id: UserId, invitee_uri: str) -> Booking | None:
        """Read one by its invitee and its user."""
        return self._by_uri(user_id).get(invitee_uri)

    async def by_invitees(
        self, user_id: UserId, invitee_uris: Sequence[str]
    ) -> Mapping[str, BookingId]:
        """Read ids alone."""
        known = self._by_uri(user_id)
        return {uri: known[uri].id for uri in invitee_uris if uri in known}

    async def page(self, user_id: UserId, query: BookingQuery) -> Sequence[Booking]:
        """Read a page."""
        wanted = [each for each in self._of(user_id) if _matches(each, query)]
        return sorted(wanted, key=_position)[: query.limit]

    def _by_uri(self, user_id: UserId) -> dict[str, Booking]:
        """Return all of a user's; of two with the same invitee the current integration's."""
        everyones = self._state.bookings.values()
        mine = [each for each in everyones if each.user_id == user_id] + self._of(user_id)
        return {each.facts.invitee_uri: each for each in mine}

    def _of(self, user_id: UserId) -> list[Booking]:
        """Return those of the user's current integration that its account hosts."""
        return [each for each in self._all_of(user_id) if self._is_hosted(each)]

    def _all_of(self, user_id: UserId) -> list[Booking]:
        row = self._state.integration_of(user_id)
        current = None if row is None else row.value.id
        return [each for at, each in self._state.bookings.items() if at[0] == current]

    def _is_hosted(self, booking: Booking) -> bool:
        owner = self._value(booking.integration_id)
        return owner is not None and is_hosted_by(booking.facts, owner.account.user_uri)

    def _value(self, integration_id: IntegrationId) -> Integration | None:
        row = self._state.integrations.get(integration_id)
        return None if row is None else row.value


def _shares_event(booking: Booking, events: Mapping[str, bool]) -> bool:
    is_canceled = events.get(booking.facts.event_uri)
    if is_canceled is None:
        return False
    return booking.is_open if is_canceled else booking.facts.event_canceled_at is not None


def _over(known: Booking, booking: Booking) -> Booking:
    links = Links(
        cancel=booking.facts.links.cancel or known.facts.links.cancel,
        reschedule=booking.facts.links.reschedule or known.facts.links.reschedule,
    )
    return replace(booking, id=known.id, facts=replace(booking.facts, links=links))


def _position(booking: Booking) -> tuple[object, ...]:
    return booking.facts.details.start, booking.id


def _matches(booking: Booking, query: BookingQuery) -> bool:
    start = booking.facts.details.start
    return (
        (not query.statuses or booking.facts.status in query.statuses)
        and (query.starts_from is None or start >= query.starts_from)
        and (query.starts_before is None or start < query.starts_before)
        and (query.after is None or (start, booking.id) > query.after)
    )
