"""What a host offers, as Calendly says it now."""

from typing import Protocol

from domain.availability import BusyTime, EventType, Schedule, Slot, Window
from domain.token import Access


class CalendlyAvailability(Protocol):
    """Event types, open slots, busy times, schedules. All raise the CalendlyError family."""

    async def event_types(self, access: Access, user_uri: str) -> list[EventType]:
        """Return all of a user's event types, inactive ones included, following every page."""
        ...

    async def available_times(
        self, access: Access, event_type_uri: str, span: Window
    ) -> list[Slot]:
        """Return the open slots of a span of at most 31 days that starts in the future."""
        ...

    async def busy_times(self, access: Access, user_uri: str, span: Window) -> list[BusyTime]:
        """Return the busy times of a span of at most 7 days that starts in the future.

        Raises:
            CalendarBroken: the host's calendar connection is broken (424).

        """
        ...

    async def schedules(self, access: Access, user_uri: str) -> list[Schedule]:
        """Return the user's availability schedules."""
        ...
