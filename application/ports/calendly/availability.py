"""A host's event types, slots, busy times and schedules at Calendly."""

from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from domain.availability import BusyTime, EventType, Schedule, Slot, Window
from domain.token import Access

V_co = TypeVar("V_co", covariant=True)


class Fetched(msgspec.Struct, Generic[V_co], frozen=True):
    """A whole list.

    Args:
        values: in Calendly's order.
        etag: the opaque tag for the next conditional request. None if Calendly sent none, if the
            list had several pages (a tag is valid for one page only), or if records are skipped.
        skipped: how many records cannot be read and are left out.

    """

    values: tuple[V_co, ...]
    etag: str | None = None
    skipped: int = 0


class Unchanged(msgspec.Struct, frozen=True):
    """The list has not changed since Calendly sent this tag (RFC 9110, 15.4.5)."""

    etag: str


Answer: TypeAlias = Fetched[V_co] | Unchanged
"""`Unchanged` is only returned to a caller that sent a tag."""


class CalendlyAvailability(Protocol):
    """Event types, open slots, busy times, schedules. All raise the CalendlyError family.

    `known` is the tag of a list that the caller still has, from the same method with the same
    arguments. Without one the whole list is returned. An unchanged list costs as much of the
    user's rate limit as a changed one. A record that cannot be read is skipped and counted; a list
    without any readable record raises CalendlyProtocolError.
    """

    async def event_types(
        self, access: Access, user_uri: str, *, known: str | None = None
    ) -> Answer[EventType]:
        """Return all of a user's event types, inactive ones included, following every page."""
        ...

    async def event_type(self, access: Access, event_type_uri: str) -> EventType:
        """Return one event type, even a deleted one, which has `deleted_at`.

        Raises:
            CalendlyNotFound: it never existed.
            CalendlyForbidden: the user may not see its owner's event types.

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
            CalendlyNotFound: it does not exist, or no longer.

        """
        ...
