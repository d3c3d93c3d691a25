"""Reads the demo user's things, each part by itself.

What cannot be read becomes a line that says why, so that the rest of the page still shows.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from adapters.wiring.services import Services
from application.availability.read_slots import AvailabilityView
from application.bookings.list_bookings import BookingView
from application.integrations.view_integration import IntegrationView
from application.ports.storage.bookings import BookingQuery
from domain.availability import EventType
from domain.errors import IntegrationNotFound, SlotkeeperError
from domain.ids import UserId

AHEAD = timedelta(days=14)
BACK = timedelta(days=14)
MOST_UPCOMING = 20
MOST_RECENT = 100

Value = TypeVar("Value")


class DemoData:
    """The parts of one page view, read at `now`; `troubles` are those that could not be, and why."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.now = services.clock.now()
        self.troubles: list[str] = []

    async def user(self, name: str) -> UserId | None:
        """Return the demo user, created when first seen."""
        return await self._read("User", self._services.identify_caller.named(name))

    async def integration(self, user_id: UserId) -> IntegrationView | None:
        """Return the user's integration, or None when no account is connected."""
        return await self._read("Connection", self._services.view_integration(user_id))

    async def event_types(self, user_id: UserId) -> tuple[EventType, ...]:
        """Return the active event types."""
        found = await self._read("Event types", self._services.read_event_types(user_id))
        return tuple(each for each in found.items if each.active) if found else ()

    async def slots(self, user_id: UserId, event_type: EventType) -> AvailabilityView | None:
        """Return the open slots of the next two weeks."""
        end = self.now + AHEAD
        reading = self._services.read_availability(user_id, event_type.uri, self.now, end)
        return await self._read("Open slots", reading)

    async def upcoming(self, user_id: UserId) -> tuple[BookingView, ...]:
        """Return the bookings that are still to come, the next one first."""
        query = BookingQuery(limit=MOST_UPCOMING, starts_from=self.now)
        found = await self._read("Bookings", self._services.list_bookings(user_id, query))
        return found.items if found else ()

    async def recent(self, user_id: UserId) -> tuple[BookingView, ...]:
        """Return the bookings of the last two weeks, the latest first."""
        query = BookingQuery(
            limit=MOST_RECENT, starts_from=self.now - BACK, starts_before=self.now
        )
        found = await self._read("Recent bookings", self._services.list_bookings(user_id, query))
        return tuple(reversed(found.items)) if found else ()

    async def _read(self, part: str, reading: Awaitable[Value]) -> Value | None:
        try:
            return await reading
        except IntegrationNotFound:
            return None
        except SlotkeeperError as error:
            self.troubles.append(f"{part}: {error.message}")
            return None
