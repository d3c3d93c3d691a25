"""What a host offers, as Calendly says it now or as it said before."""

from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from domain.availability import BusyTime, EventType, Schedule, Slot, Window
from domain.token import Access

V_co = TypeVar("V_co", covariant=True)


class Fetched(msgspec.Struct, Generic[V_co], frozen=True):
    """A whole list.

    Args:
        values: what it holds, in Calendly's order.
        etag: what to ask with next time, opaque; None where Calendly named none, or where the
            list had several pages, of which one tag would speak for one only.

    """

    values: tuple[V_co, ...]
    etag: str | None = None


class Unchanged(msgspec.Struct, frozen=True):
    """The list is what it was when Calendly named this tag (RFC 9110, 15.4.5)."""

    etag: str


Answer: TypeAlias = Fetched[V_co] | Unchanged
"""`Unchanged` only ever to a caller that named a tag."""


class CalendlyAvailability(Protocol):
    """Event types, open slots, busy times, schedules. All raise the CalendlyError family.

    `known` is the tag of a list that the caller still holds, from the same method with the same
    arguments; without one the whole list comes. An unchanged list costs the user's rate budget as
    much as a changed one.
    """

    async def event_types(
        self, access: Access, user_uri: str, *, known: str | None = None
    ) -> Answer[EventType]:
        """Return all of a user's event types, inactive ones included, following every page."""
        ...

    async def event_type(self, access: Access, event_type_uri: str) -> EventType:
        """Return one event type; a deleted one still comes, with `deleted_at`.

        Raises:
            CalendlyNotFound: there never was one.
            CalendlyForbidden: it belongs to somebody whose event types the user may not see.

        """
        ...

    async def available_times(
        self, access: Access, event_type_uri: str, span: Window, *, known: str | None = None
    ) -> Answer[Slot]:
        """Return the open slots of a span of at most 31 days that starts in the future.

        Raises:
            CalendlyNotFound: the event type was deleted.
            CalendlyForbidden: the user may not read it.
            CalendarBroken: the host's calendar connection is broken (424).

        """
        ...

    async def busy_times(
        self, access: Access, user_uri: str, span: Window, *, known: str | None = None
    ) -> Answer[BusyTime]:
        """Return the busy times of a span of at most 7 days that starts in the future.

        Raises:
            CalendarBroken: the host's calendar connection is broken (424).

        """
        ...

    async def schedules(
        self, access: Access, user_uri: str, *, known: str | None = None
    ) -> Answer[Schedule]:
        """Return the user's availability schedules."""
        ...

    async def schedule(self, access: Access, schedule_uri: str) -> Schedule:
        """Return one availability schedule.

        Raises:
            CalendlyNotFound: there is none, or no longer.

        """
        ...
