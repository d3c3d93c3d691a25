"""Bookings and bodies of people, in memory."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from application.ports.storage.personal_data import BodyPage, OpenedBody, Seat, SeatPage
from domain.booking import Booking
from domain.ids import BookingId, WebhookEventId
from tests.fakes.state import EventRow, State


class FakePersonalData:
    def __init__(self, state: State) -> None:
        self._state = state

    async def seats(self, after: BookingId | None, limit: int) -> SeatPage:
        by_id = sorted(self._state.bookings.values(), key=lambda each: each.id)
        seats = [Seat(each.id, each.facts.details.invitee.email) for each in by_id]
        page = [each for each in seats if each.email and (after is None or each.id > after)]
        page = page[:limit]
        return SeatPage(tuple(page), after=page[-1].id if len(page) == limit else None)

    async def lock_bookings(self, booking_ids: Collection[BookingId]) -> Sequence[Booking]:
        found = [each for each in self._state.bookings.values() if each.id in booking_ids]
        return sorted(found, key=lambda each: (each.integration_id, each.facts.invitee_uri))

    async def forget_bookings(self, bookings: Sequence[Booking]) -> None:
        for each in bookings:
            self._state.bookings[each.integration_id, each.facts.invitee_uri] = each

    async def bodies(
        self, after: WebhookEventId | None, limit: int, since: datetime | None = None
    ) -> BodyPage:
        found = sorted(self._state.webhook_events.items())
        behind = [row for key, row in found if after is None or key > after]
        page = [row.event for row in behind if _is_since(row, since)][:limit]
        bodies = tuple(
            OpenedBody(each.id, each.received_at, each.body if each.fault is None else None)
            for each in page
        )
        return BodyPage(bodies, after=page[-1].id if len(page) == limit else None)

    async def replace_body(self, event_id: WebhookEventId, body: bytes) -> None:
        row = self._state.webhook_events.get(event_id)
        if row is not None:
            self._state.webhook_events[event_id] = replace(
                row, event=replace(row.event, body=body)
            )


def _is_since(row: EventRow, since: datetime | None) -> bool:
    if since is None or row.event.received_at >= since:
        return True
    return row.settled_at is not None and row.settled_at >= since
