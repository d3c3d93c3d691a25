"""A host's event types, slots, busy times and schedules at Calendly.

A record that cannot be read is skipped and counted, so that it does not hide the others. Available times, busy times and schedules have one page; only event types have several. The rule
not to break: a tag is valid for one page, so it is returned only if one page was the whole list.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from adapters.calendly.api import CalendlyApi, NotModified, Params
from adapters.calendly.translation.availability import to_busy_time, to_schedule, to_slot
from adapters.calendly.translation.event_types import to_event_type
from adapters.calendly.translation.readable import readable
from adapters.calendly.translation.times import to_wire
from adapters.calendly.uris import path_of
from adapters.calendly.wire import availability as wire
from adapters.calendly.wire.envelopes import Collection, Resource
from adapters.calendly.wire.event_types import EventType as WireEventType
from application.ports.calendly.availability import Answer, Fetched, Unchanged
from domain.availability import BusyTime, EventType, Schedule, Slot, Window
from domain.errors import CalendlyProtocolError
from domain.token import Access

W = TypeVar("W")
V = TypeVar("V")

_SCHEDULES = "/user_availability_schedules"


class CalendlyAvailabilityGateway:
    """Implements `CalendlyAvailability`."""

    def __init__(self, api: CalendlyApi) -> None:
        self._api = api

    async def event_types(
        self, access: Access, user_uri: str, *, known: str | None = None
    ) -> Answer[EventType]:
        params = {"user": user_uri, "count": "100"}
        return await self._list(
            access, "/event_types", WireEventType, params, known, to=to_event_type
        )

    async def event_type(self, access: Access, event_type_uri: str) -> EventType:
        """Return one event type, even a deleted one (Calendly: Get Event Type).

        Calendly answers 404 for an unknown one and 403 for one of another organization.
        """
        path = path_of(event_type_uri, "event_types")
        return to_event_type(await self._api.get_leniently(access, path, Resource[WireEventType]))

    async def available_times(
        self, access: Access, event_type_uri: str, span: Window, *, known: str | None = None
    ) -> Answer[Slot]:
        """Return the open slots of a span (UTC) of at most 31 days that starts in the future.

        Calendly answers 404 for a deleted event type and 403 for another organization's. A 424 is
        documented for busy times only, and means the same here.
        """
        params = {"event_type": event_type_uri, **_bounds(span)}
        path = "/event_type_available_times"
        return await self._list(access, path, wire.AvailableTime, params, known, to=_to_open_slot)

    async def busy_times(
        self, access: Access, user_uri: str, span: Window, *, known: str | None = None
    ) -> Answer[BusyTime]:
        """Return the busy times of a span (UTC) of at most 7 days that starts in the future.

        Calendly answers 424 while the host's calendar connection is broken.
        """
        params = {"user": user_uri, **_bounds(span)}
        path = "/user_busy_times"
        return await self._list(access, path, wire.BusyTime, params, known, to=to_busy_time)

    async def schedules(
        self, access: Access, user_uri: str, *, known: str | None = None
    ) -> Answer[Schedule]:
        params = {"user": user_uri}
        return await self._list(access, _SCHEDULES, wire.Schedule, params, known, to=to_schedule)

    async def schedule(self, access: Access, schedule_uri: str) -> Schedule:
        """Return one availability schedule; 404 for an unknown or deleted one."""
        path = _SCHEDULES + _schedule_id(schedule_uri)
        return to_schedule((await self._api.get(access, path, Resource[wire.Schedule])).resource)

    async def _list(
        self,
        access: Access,
        path: str,
        into: type[W],
        params: Params,
        known: str | None,
        *,
        to: Callable[[W], V | None],
    ) -> Answer[V]:
        answer = await self._api.get_if_changed(
            access, path, Collection[msgspec.Raw], params, known
        )
        if isinstance(answer, NotModified):
            return Unchanged(answer.etag)
        first = answer.value
        found = await self._api.follow(access, path, Collection[msgspec.Raw], params, first)
        items, skipped = readable(found, into)
        if skipped and not items:
            # An odd record costs itself alone. Without any other record the format has changed, and
            # the list that is stored already serves better.
            raise CalendlyProtocolError(
                f"GET {path}: Calendly's list has no record that can be read.", unreadable=True
            )
        values = tuple(each for each in map(to, items) if each is not None)
        is_whole = first.pagination.next_page_token is None and not skipped
        return Fetched(values, answer.etag if is_whole else None, skipped)


def _to_open_slot(time: wire.AvailableTime) -> Slot | None:
    return to_slot(time) if time.status == "available" else None


def _schedule_id(uri: str) -> str:
    """Return the last segment; Calendly's own example has the collection in the singular."""
    singular = uri.replace("/user_availability_schedule/", _SCHEDULES + "/", 1)
    return path_of(singular, "user_availability_schedules").removeprefix(_SCHEDULES)


def _bounds(span: Window) -> dict[str, str]:
    return {"start_time": to_wire(span.start), "end_time": to_wire(span.end)}
