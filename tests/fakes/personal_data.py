"""Bookings and bodies of one person, in memory."""

from collections.abc import Sequence

from msgspec.structs import replace

from application.ports.personal_data import BodyPage, OpenedBody
from domain.booking import Booking
from domain.erasure import normalised
from domain.ids import BookingId, WebhookEventId
from tests.fakes.state import State


class FakePersonalData:
    """Implements the PersonalData port."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def bookings_of(
        self, email: str, after: BookingId | None, limit: int
    ) -> tuple[Sequence[Booking], BookingId | None]:
        """Look through a stretch."""
        by_id = sorted(self._state.bookings.values(), key=lambda each: each.id)
        stretch = [each for each in by_id if after is None or each.id > after][:limit]
        theirs = [
            each for each in stretch if normalised(each.facts.details.invitee.email) == email
        ]
        return theirs, stretch[-1].id if len(stretch) == limit else None

    async def forget_bookings(self, bookings: Sequence[Booking]) -> None:
        """Replace them."""
        for each in bookings:
            self._state.bookings[each.integration_id, each.facts.invitee_uri] = each

    async def bodies(self, after: WebhookEventId | None, limit: int) -> BodyPage:
        """Read a page."""
        found = sorted(self._state.webhook_events.items())
        page = [row.event for key, row in found if after is None or key > after][:limit]
        bodies = tuple(
            OpenedBody(each.id, each.body if each.fault is None else None) for each in page
        )
        return BodyPage(bodies, after=page[-1].id if len(page) == limit else None)

    async def replace_body(self, event_id: WebhookEventId, body: bytes) -> None:
        """Replace it."""
        row = self._state.webhook_events.get(event_id)
        if row is not None:
            self._state.webhook_events[event_id] = replace(
                row, event=replace(row.event, body=body)
            )
