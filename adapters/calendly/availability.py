"""What a host offers, as Calendly says it now.

Available times, busy times and schedules come in one piece; only event types have pages.
"""

from adapters.calendly.api import CalendlyApi
from adapters.calendly.translation.availability import to_busy_time, to_schedule, to_slot
from adapters.calendly.translation.event_types import to_event_type
from adapters.calendly.translation.times import to_wire
from adapters.calendly.wire import availability as wire
from adapters.calendly.wire.envelopes import Collection
from adapters.calendly.wire.event_types import EventType as WireEventType
from domain.availability import BusyTime, EventType, Schedule, Slot, Window
from domain.token import Access


class CalendlyAvailabilityGateway:
    """Implements `CalendlyAvailability`."""

    def __init__(self, api: CalendlyApi) -> None:
        self._api = api

    async def event_types(self, access: Access, user_uri: str) -> list[EventType]:
        """Return all of a user's event types, inactive ones included."""
        found = await self._api.get_all(
            access, "/event_types", Collection[WireEventType], {"user": user_uri, "count": "100"}
        )
        return [to_event_type(each) for each in found]

    async def available_times(
        self, access: Access, event_type_uri: str, span: Window
    ) -> list[Slot]:
        """Return the open slots of a span (UTC) of at most 31 days that starts in the future."""
        answer = await self._api.get(
            access,
            "/event_type_available_times",
            Collection[wire.AvailableTime],
            {"event_type": event_type_uri, **_bounds(span)},
        )
        return [to_slot(each) for each in answer.collection if each.status == "available"]

    async def busy_times(self, access: Access, user_uri: str, span: Window) -> list[BusyTime]:
        """Return the busy times of a span (UTC) of at most 7 days that starts in the future."""
        answer = await self._api.get(
            access,
            "/user_busy_times",
            Collection[wire.BusyTime],
            {"user": user_uri, **_bounds(span)},
        )
        return [to_busy_time(each) for each in answer.collection]

    async def schedules(self, access: Access, user_uri: str) -> list[Schedule]:
        """Return the user's availability schedules."""
        answer = await self._api.get(
            access, "/user_availability_schedules", Collection[wire.Schedule], {"user": user_uri}
        )
        return [to_schedule(each) for each in answer.collection]


def _bounds(span: Window) -> dict[str, str]:
    return {"start_time": to_wire(span.start), "end_time": to_wire(span.end)}
