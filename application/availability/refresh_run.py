"""Run a refresh of one user: event types first, because they decide which slots to fetch.

If they cannot be fetched for a reason that concerns the whole user, nothing else is fetched.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from application.availability.cache_entries import event_types, is_readable
from application.availability.fetch import (
    FetchAvailability,
    FetchRequest,
    FetchResult,
    failed,
    is_over,
)
from application.availability.refresh_scope import EVENT_TYPES, CacheState, RefreshScope
from application.availability.retry_times import RetryTimes
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from application.tokens.calendly_session import Seen
from domain.availability import EventType
from domain.cache_policy import settles_at
from domain.errors import (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    ScopeMissing,
    SlotkeeperError,
)
from domain.sync_plan import is_obsolete
from domain.windows import base_of

# Errors that concern one list and not the user.
OF_ONE_LIST = (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    ScopeMissing,
)


class CacheRefreshOutcome(msgspec.Struct, frozen=True):
    """The results of a refresh.

    Args:
        results: of each entry that was wanted.
        active: the URIs of the event types that have slots, if they are known.
        list_changed: the list of event types was fetched just now and had changed.
        obsolete: entries that are no longer needed.

    """

    results: tuple[FetchResult, ...] = ()
    active: tuple[str, ...] | None = None
    list_changed: bool = False
    obsolete: tuple[CacheKey, ...] = ()

    @property
    def changed(self) -> list[CacheEntry]:
        """The entries with new content."""
        return [each.entry for each in self.results if not each.error and not each.unchanged]

    @property
    def unchanged(self) -> list[CacheEntry]:
        """The entries that Calendly reported as unchanged."""
        return [each.entry for each in self.results if each.unchanged]

    @property
    def errors(self) -> list[SlotkeeperError]:
        return [each.error for each in self.results if each.error]

    def state_after(self, before: CacheState, retry_times: RetryTimes) -> CacheState:
        """Return the state after storing, in which failed entries back off until these times."""
        after = CacheState(before.integration, before.entries.values(), before.now, before.policy)
        for each in self.results:
            key = each.entry.cache_key
            after.entries[key] = _entry_after(each, before.entries.get(key), retry_times)
        for key in self.obsolete:
            del after.entries[key]
        if self.list_changed:
            after.keep_slots_of(self.active or ())
        return after


async def run_refresh(
    fetch: FetchAvailability, cache_state: CacheState, scope: RefreshScope
) -> CacheRefreshOutcome:
    """Fetch the wanted entries; nothing is sent when no entry is wanted.

    Args:
        fetch: fetches from Calendly.
        cache_state: the stored entries, and the integration as of now. An unreadable list of
            event types is removed from it.
        scope: decides the entries.

    """
    known, seen = _known(cache_state), Seen(cache_state.integration)
    first: list[FetchResult] = []
    listed: tuple[EventType, ...] | None = None
    if scope.wants(EVENT_TYPES, cache_state):
        first = await fetch.fetch(seen, [_request(EVENT_TYPES, cache_state)])
        listed = _event_types(first[0])
    latest = known if listed is None else listed
    active = None if latest is None else tuple(each.uri for each in latest if each.is_offered)
    requests = _other_requests(cache_state, scope, active)
    error = first[0].error if first else None
    if error is not None and not isinstance(error, OF_ONE_LIST):
        others = [failed(each.key, cache_state.now, error) for each in requests]
    else:
        others = await fetch.fetch(seen, requests)
    results = (*first, *others)
    return CacheRefreshOutcome(
        results=results,
        active=active,
        list_changed=listed is not None,
        obsolete=_obsolete(cache_state, {each.entry.cache_key for each in results}),
    )


def is_anything_wanted(
    scope: RefreshScope, cache_state: CacheState, active: Sequence[str] | None
) -> bool:
    """Whether a scope would find anything to fetch."""
    return scope.wants(EVENT_TYPES, cache_state) or bool(
        _other_requests(cache_state, scope, active)
    )


def _known(cache_state: CacheState) -> tuple[EventType, ...] | None:
    """Return the stored list; an unreadable one is treated as missing and fetched again."""
    stored = cache_state.event_types
    if stored is None or not stored.has_content:
        return None
    if not is_readable(stored):
        del cache_state.entries[EVENT_TYPES]
        return None
    return event_types(stored)


def _entry_after(
    result: FetchResult, before: CacheEntry | None, retry_times: RetryTimes
) -> CacheEntry:
    error = result.error
    if error is None:
        read_at = before.read_at if before else None
        settled_at = _settles_at(result.entry.fetched_at, before)
        return replace(result.entry, content_omitted=True, read_at=read_at, settles_at=settled_at)
    return replace(before or result.entry, error_code=error.code, retry_at=retry_times.of(error))


def _settles_at(fetched_at: datetime, before: CacheEntry | None) -> datetime | None:
    """Return when an entry that was fetched just now is fetched once more (UTC)."""
    if before is None:
        return None
    if before.invalidated_at is not None:
        return settles_at(fetched_at, before.invalidated_at)
    known = before.settles_at
    return known if known is not None and fetched_at < known else None


def _event_types(result: FetchResult) -> tuple[EventType, ...] | None:
    if result.error or result.unchanged:
        return None
    return tuple(each for each in result.values if isinstance(each, EventType))


def _other_requests(
    cache_state: CacheState, scope: RefreshScope, active: Sequence[str] | None
) -> list[FetchRequest]:
    """Return the other wanted entries; slots only of active event types, if these are known."""
    candidates = {*cache_state.entries, *scope.named}
    if scope.whole:
        candidates.update(CacheKey(CacheKind.SLOTS, uri) for uri in active or ())
    return [
        _request(key, cache_state)
        for key in sorted(candidates)
        if key != EVENT_TYPES
        and not is_over(key, cache_state.now)
        and (active is None or key.kind is not CacheKind.SLOTS or base_of(key.key) in active)
        and scope.wants(key, cache_state)
    ]


def _request(key: CacheKey, cache_state: CacheState) -> FetchRequest:
    entry = cache_state.entries.get(key)
    if entry is None or not entry.has_content:
        return FetchRequest(key)
    return FetchRequest(key, entry.etag, entry.covers)


def _obsolete(cache_state: CacheState, wanted: set[CacheKey]) -> tuple[CacheKey, ...]:
    now, policy = cache_state.now, cache_state.policy
    return tuple(
        key
        for key, entry in cache_state.entries.items()
        if key not in wanted and (is_over(key, now) or is_obsolete(entry, now, policy))
    )
