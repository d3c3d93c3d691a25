"""Fetch everything that a user offers, in parallel, keeping the good parts of a bad fetch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from application.cached_values import encode
from application.calendly_session import CalendlySession
from application.ports.availability_cache import CachedPart, Part
from application.ports.calendly_availability import CalendlyAvailability
from application.ports.clock import Clock
from domain.availability import (
    BUSY_WINDOW,
    SLOT_WINDOW,
    BusyTime,
    EventType,
    Schedule,
    Slot,
    Window,
)
from domain.errors import SlotkeeperError
from domain.integration import Integration
from domain.token import Access

# Calendly refuses a span that starts now: it is in the past on arrival.
HEAD_START = timedelta(minutes=1)
AT_ONCE = 6

Values = Sequence[EventType | Slot | BusyTime | Schedule]


class FetchedAvailability(msgspec.Struct, frozen=True):
    """What a fetch brought.

    Args:
        parts: those that came.
        failed: the others, without content and each with its error code.
        errors: what went wrong, in the order of `failed`.
        event_type_uris: the active event types, whose slots are worth keeping.

    """

    parts: tuple[CachedPart, ...]
    failed: tuple[CachedPart, ...]
    errors: tuple[SlotkeeperError, ...]
    event_type_uris: tuple[str, ...]


class FetchAvailability:
    """Asks Calendly for event types, slots, busy times and schedules."""

    def __init__(
        self, *, session: CalendlySession, calendly: CalendlyAvailability, clock: Clock
    ) -> None:
        self._session = session
        self._calendly = calendly
        self._clock = clock

    async def __call__(self, integration: Integration) -> FetchedAvailability:
        """Fetch all parts of one user.

        Raises:
            SlotkeeperError: the event types could not be had, so nothing else can be.

        """
        user_uri, began = integration.account.user_uri, self._clock.now()
        event_types = await self._session.call(
            integration.id, lambda access: self._calendly.event_types(access, user_uri)
        )
        active = tuple(each.uri for each in event_types if each.active and not each.deleted_at)
        first = _part(Part.EVENT_TYPES, "", event_types, began)
        fetches = [self._busy(user_uri), self._schedules(user_uri), *map(self._slots, active)]
        gate = asyncio.Semaphore(AT_ONCE)
        outcomes = await asyncio.gather(
            *(self._attempt(integration, fetch, gate) for fetch in fetches)
        )
        return FetchedAvailability(
            parts=(first, *(part for part, error in outcomes if error is None)),
            failed=tuple(part for part, error in outcomes if error is not None),
            errors=tuple(error for _, error in outcomes if error is not None),
            event_type_uris=active,
        )

    async def _attempt(
        self, integration: Integration, fetch: "_Fetch", gate: asyncio.Semaphore
    ) -> tuple[CachedPart, SlotkeeperError | None]:
        async with gate:
            began = self._clock.now()
            try:
                values = await self._session.call(integration.id, fetch.work)
            except SlotkeeperError as error:
                return failed_part(fetch.part, fetch.key, began, error), error
        return _part(fetch.part, fetch.key, values, began, fetch.covers), None

    def _slots(self, event_type_uri: str) -> "_Fetch":
        span = self._span(SLOT_WINDOW)
        return _Fetch(
            Part.SLOTS,
            event_type_uri,
            span,
            lambda access: self._calendly.available_times(access, event_type_uri, span),
        )

    def _busy(self, user_uri: str) -> "_Fetch":
        span = self._span(BUSY_WINDOW)
        return _Fetch(
            Part.BUSY, "", span, lambda access: self._calendly.busy_times(access, user_uri, span)
        )

    def _schedules(self, user_uri: str) -> "_Fetch":
        return _Fetch(
            Part.SCHEDULES, "", None, lambda access: self._calendly.schedules(access, user_uri)
        )

    def _span(self, length: timedelta) -> Window:
        start = self._clock.now() + HEAD_START
        return Window(start=start, end=start + length)


def failed_part(part: Part, key: str, began: datetime, error: SlotkeeperError) -> CachedPart:
    """Return what stands for a part that did not come."""
    return CachedPart(part=part, key=key, content=b"", fetched_at=began, error_code=error.code)


class _Fetch(msgspec.Struct, frozen=True):
    part: Part
    key: str
    covers: Window | None
    work: Callable[[Access], Awaitable[Values]]


def _part(
    part: Part, key: str, values: Values, began: datetime, covers: Window | None = None
) -> CachedPart:
    return CachedPart(part=part, key=key, content=encode(values), fetched_at=began, covers=covers)
