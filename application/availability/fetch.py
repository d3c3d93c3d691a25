"""Ask Calendly for parts of what a user offers, in parallel; each succeeds or fails by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from application.availability.cache_entries import Values, encode
from application.ports.calendly.availability import Answer, CalendlyAvailability, Unchanged
from application.ports.clock import Clock
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from application.tokens.calendly_session import CalendlySession, Seen
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
from domain.token import Access
from domain.windows import base_of, cell_window, is_far, near_window, still_ahead

AT_ONCE = 6
_LENGTHS = {CacheKind.SLOTS: SLOT_WINDOW, CacheKind.BUSY: BUSY_WINDOW}

_INTERNAL = SlotkeeperError("The answer met an error in this service.")

_Said: TypeAlias = Answer[EventType | Slot | BusyTime | Schedule]
_Call: TypeAlias = Callable[[Access], Awaitable[_Said]]


class Ask(msgspec.Struct, frozen=True):
    """One part to ask for.

    Args:
        at: which.
        etag: what Calendly called the content that is stored, if anything is.
        covers: the span that was asked for then, where the part has one.

    """

    at: CacheKey
    etag: str | None = None
    covers: Window | None = None

    def known(self, covers: Window | None) -> str | None:
        """Return the tag if it speaks of the same request, whose span is this one.

        A tag stands for one URL (RFC 9110, 8.8.3): of a window that has moved on it says nothing,
        even where the slots of both happen to be the same.
        """
        return self.etag if covers == self.covers else None


class Fetched(msgspec.Struct, frozen=True):
    """What became of one part.

    Args:
        part: with its content, or without where it is unchanged or did not come.
        unchanged: the stored content still holds.
        values: what came, decoded.
        error: why nothing came.
        bug: what this service did wrong, where that is why.

    """

    part: CacheEntry
    unchanged: bool = False
    values: Values = ()
    error: SlotkeeperError | None = None
    bug: Exception | None = None


class FetchAvailability:
    """Asks for event types, slots, busy times and schedules."""

    def __init__(
        self, *, session: CalendlySession, calendly: CalendlyAvailability, clock: Clock
    ) -> None:
        self._session = session
        self._calendly = calendly
        self._clock = clock

    async def __call__(self, seen: Seen, asks: Sequence[Ask]) -> list[Fetched]:
        """Fetch parts of one user, so many at once; the results come in the order of `asks`."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(ask: Ask) -> Fetched:
            async with gate:
                return await self._fetch(seen, ask)

        return await asyncio.gather(*map(one, asks))

    async def _fetch(self, seen: Seen, ask: Ask) -> Fetched:
        began = self._clock.now()
        covers = _covers(ask.at, began)
        integration = seen.integration
        call = self._call(ask, integration.account.user_uri, covers)
        try:
            said = await self._session.call(integration.id, call, seen=seen)
        except SlotkeeperError as error:
            return failed(ask.at, began, error)
        except Exception as bug:  # noqa: BLE001 - told by whoever stores it; the others go on
            return replace(failed(ask.at, began, _INTERNAL), bug=bug)
        unchanged = isinstance(said, Unchanged)
        values = () if isinstance(said, Unchanged) else said.values
        part = CacheEntry(
            part=ask.at.part,
            key=ask.at.key,
            content=b"" if unchanged else encode(values),
            fetched_at=began,
            covers=covers,
            etag=ask.etag if unchanged else said.etag,
        )
        return Fetched(part, unchanged, values)

    def _call(self, ask: Ask, user_uri: str, covers: Window | None) -> _Call:
        calendly, known = self._calendly, ask.known(covers)
        match ask.at.part:
            case CacheKind.EVENT_TYPES:
                return lambda access: calendly.event_types(access, user_uri, known=known)
            case CacheKind.SCHEDULES:
                return lambda access: calendly.schedules(access, user_uri, known=known)
            case CacheKind.SLOTS:
                uri, span = base_of(ask.at.key), _span(covers)
                return lambda access: calendly.available_times(access, uri, span, known=known)
            case CacheKind.BUSY:
                span = _span(covers)
                return lambda access: calendly.busy_times(access, user_uri, span, known=known)


def failed(at: CacheKey, began: datetime, error: SlotkeeperError) -> Fetched:
    """Return what stands for a part that did not come."""
    nothing = CacheEntry(
        part=at.part, key=at.key, content=b"", fetched_at=began, error_code=error.code
    )
    return Fetched(nothing, error=error)


def windowed(at: CacheKey) -> timedelta | None:
    """Return how long the windows of a part are, or None where it has none."""
    return _LENGTHS.get(at.part)


def is_over(at: CacheKey, now: datetime) -> bool:
    """Whether a part is a far cell of which nothing lies ahead any more (UTC)."""
    length = windowed(at)
    if length is None or not is_far(at.key):
        return False
    return still_ahead(cell_window(at.key, length), now) is None


def _covers(at: CacheKey, now: datetime) -> Window | None:
    """Return the span to ask for: of a far cell what is still ahead of it."""
    length = windowed(at)
    if length is None:
        return None
    if is_far(at.key):
        return still_ahead(cell_window(at.key, length), now)
    return near_window(now, length)


def _span(covers: Window | None) -> Window:
    if covers is None:
        raise ValueError("a window that is over cannot be asked for")
    return covers
