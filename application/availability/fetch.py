"""Fetch cache entries of one user from Calendly, in parallel; each succeeds or fails by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
from domain.windows import base_of, far_window_of, future_part, is_far, near_window

MAX_CONCURRENT = 6
_LENGTHS = {CacheKind.SLOTS: SLOT_WINDOW, CacheKind.BUSY: BUSY_WINDOW}

_INTERNAL = SlotkeeperError("The request met an error in this service.")

_Response: TypeAlias = Answer[EventType | Slot | BusyTime | Schedule]
_Call: TypeAlias = Callable[[Access], Awaitable[_Response]]


class FetchRequest(msgspec.Struct, frozen=True):
    """One entry to fetch.

    Args:
        key: its key.
        etag: Calendly's tag of the stored content, if there is any.
        covers: the span of the stored content, for a windowed entry.

    """

    key: CacheKey
    etag: str | None = None
    covers: Window | None = None

    def etag_for(self, covers: Window | None) -> str | None:
        """Return the tag if the stored content has this span.

        A tag belongs to one URL (RFC 9110, 8.8.3). It says nothing about a window that has moved,
        even if both windows contain the same slots.
        """
        return self.etag if covers == self.covers else None


class FetchResult(msgspec.Struct, frozen=True):
    """The result of one fetch.

    Args:
        entry: with its content; without it if it is unchanged or the fetch failed.
        unchanged: the stored content is still valid.
        values: the fetched values, decoded.
        error: why the fetch failed.
        bug: the exception, if a bug of this service is the reason.

    """

    entry: CacheEntry
    unchanged: bool = False
    values: Values = ()
    error: SlotkeeperError | None = None
    bug: Exception | None = None


@dataclass(frozen=True, kw_only=True)
class FetchAvailability:
    """Fetches event types, slots, busy times and schedules."""

    session: CalendlySession
    calendly: CalendlyAvailability
    clock: Clock

    async def fetch(self, seen: Seen, requests: Sequence[FetchRequest]) -> list[FetchResult]:
        """Fetch entries of one user, MAX_CONCURRENT at a time; results are in the same order."""
        gate = asyncio.Semaphore(MAX_CONCURRENT)

        async def one(request: FetchRequest) -> FetchResult:
            async with gate:
                return await self._fetch(seen, request)

        return await asyncio.gather(*map(one, requests))

    async def _fetch(self, seen: Seen, request: FetchRequest) -> FetchResult:
        started_at = self.clock.now()
        covers = _covers(request.key, started_at)
        integration = seen.integration
        call = self._call(request, integration.account.user_uri, covers)
        try:
            response = await self.session.call(integration.id, call, seen=seen)
        except SlotkeeperError as error:
            return failed(request.key, started_at, error)
        except Exception as bug:  # noqa: BLE001 - reported with the results; other fetches go on
            return replace(failed(request.key, started_at, _INTERNAL), bug=bug)
        unchanged = isinstance(response, Unchanged)
        values = () if isinstance(response, Unchanged) else response.values
        entry = CacheEntry(
            kind=request.key.kind,
            key=request.key.key,
            content=b"" if unchanged else encode(values),
            fetched_at=started_at,
            covers=covers,
            etag=request.etag if unchanged else response.etag,
            skipped=0 if isinstance(response, Unchanged) else response.skipped,
        )
        return FetchResult(entry, unchanged, values)

    def _call(self, request: FetchRequest, user_uri: str, covers: Window | None) -> _Call:
        calendly, known = self.calendly, request.etag_for(covers)
        match request.key.kind:
            case CacheKind.EVENT_TYPES:
                return lambda access: calendly.event_types(access, user_uri, known=known)
            case CacheKind.SCHEDULES:
                return lambda access: calendly.schedules(access, user_uri, known=known)
            case CacheKind.SLOTS:
                uri, span = base_of(request.key.key), _span(covers)
                return lambda access: calendly.available_times(access, uri, span, known=known)
            case CacheKind.BUSY:
                span = _span(covers)
                return lambda access: calendly.busy_times(access, user_uri, span, known=known)


def failed(key: CacheKey, started_at: datetime, error: SlotkeeperError) -> FetchResult:
    """Return the result of a fetch that failed."""
    entry = CacheEntry(
        kind=key.kind, key=key.key, content=b"", fetched_at=started_at, error_code=error.code
    )
    return FetchResult(entry, error=error)


def is_over(key: CacheKey, now: datetime) -> bool:
    """Whether a key names a far window that lies in the past (UTC)."""
    length = _window_length(key)
    if length is None or not is_far(key.key):
        return False
    return future_part(far_window_of(key.key, length), now) is None


def _window_length(key: CacheKey) -> timedelta | None:
    return _LENGTHS.get(key.kind)


def _covers(key: CacheKey, now: datetime) -> Window | None:
    """Return the span to request; for a far window its future part."""
    length = _window_length(key)
    if length is None:
        return None
    if is_far(key.key):
        return future_part(far_window_of(key.key, length), now)
    return near_window(now, length)


def _span(covers: Window | None) -> Window:
    if covers is None:
        raise ValueError("a window that is over cannot be fetched")
    return covers
