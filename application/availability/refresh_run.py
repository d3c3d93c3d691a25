"""Carry out a refresh of one user: event types first, for they tell what else there is to ask.

When they cannot be had for a reason that concerns the whole user, the rest is not even tried.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from application.availability.cache_entries import event_types, is_readable
from application.availability.fetch import Ask, FetchAvailability, Fetched, failed, is_over
from application.availability.refresh_scope import EVENT_TYPES, CacheState, RefreshScope
from application.availability.retry_times import RetryTimes
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from application.tokens.calendly_session import Seen
from domain.availability import EventType
from domain.errors import (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    ScopeMissing,
    SlotkeeperError,
)
from domain.sync_plan import is_spent
from domain.windows import base_of

# What Calendly says of one list and not of the user.
OF_ONE_LIST = (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    ScopeMissing,
)


class CacheRefreshOutcome(msgspec.Struct, frozen=True):
    """What a refresh brought.

    Args:
        fetched: what became of each part that was wanted.
        active: the URIs of the event types that have slots, as far as is known.
        is_new: they were told just now.
        spent: parts that nobody needs any more.

    """

    fetched: tuple[Fetched, ...] = ()
    active: tuple[str, ...] | None = None
    is_new: bool = False
    spent: tuple[CacheKey, ...] = ()

    @property
    def came(self) -> list[CacheEntry]:
        """The parts whose content came."""
        return [each.part for each in self.fetched if not each.error and not each.unchanged]

    @property
    def renewed(self) -> list[CacheEntry]:
        """The parts that are what they were."""
        return [each.part for each in self.fetched if each.unchanged]

    @property
    def errors(self) -> list[SlotkeeperError]:
        """Why parts did not come."""
        return [each.error for each in self.fetched if each.error]

    def leaves(self, cache_state: CacheState, rests: RetryTimes) -> CacheState:
        """Return what is stored afterwards, where what failed rests as given."""
        after = CacheState(
            cache_state.integration,
            cache_state.entries.values(),
            cache_state.now,
            cache_state.policy,
        )
        for each in self.fetched:
            after.entries[each.part.at] = _head(each, cache_state.entries.get(each.part.at), rests)
        for at in self.spent:
            del after.entries[at]
        if self.is_new:
            after.keep_slots_of(self.active or ())
        return after


class RunRefresh:
    """Fetches what an errand wants."""

    def __init__(self, fetch: FetchAvailability) -> None:
        self._fetch = fetch

    async def __call__(
        self, cache_state: CacheState, refresh_scope: RefreshScope, listed: CacheEntry | None
    ) -> CacheRefreshOutcome:
        """Fetch; nothing is sent when nothing is wanted.

        Args:
            cache_state: what is stored, its integration read just now.
            refresh_scope: what is wanted of it.
            listed: the stored event types with their content, if there are any.

        """
        known, seen = _known(cache_state, listed), Seen(cache_state.integration)
        first: list[Fetched] = []
        values: tuple[EventType, ...] | None = None
        if refresh_scope.wants(EVENT_TYPES, cache_state):
            first = await self._fetch(seen, [_ask(EVENT_TYPES, cache_state)])
            values = _event_types(first[0])
        listing = known if values is None else values
        active = None if listing is None else _active(listing)
        rest = _rest(cache_state, refresh_scope, active)
        error = first[0].error if first else None
        if error is not None and not isinstance(error, OF_ONE_LIST):
            others = [failed(ask.at, cache_state.now, error) for ask in rest]
        else:
            others = await self._fetch(seen, rest)
        fetched = (*first, *others)
        return CacheRefreshOutcome(
            fetched=fetched,
            active=active,
            is_new=values is not None,
            spent=_spent(cache_state, {each.part.at for each in fetched}),
        )


def _known(cache_state: CacheState, listed: CacheEntry | None) -> tuple[EventType, ...] | None:
    """Return the stored list; one that cannot be read is as good as none, and fetched anew."""
    if listed is None or not listed.known:
        return None
    if not is_readable(listed):
        del cache_state.entries[EVENT_TYPES]
        return None
    return event_types(listed)


def left_over(
    refresh_scope: RefreshScope, cache_state: CacheState, active: Sequence[str] | None
) -> bool:
    """Whether an errand would find anything to ask for."""
    return refresh_scope.wants(EVENT_TYPES, cache_state) or bool(
        _rest(cache_state, refresh_scope, active)
    )


def _head(fetched: Fetched, before: CacheEntry | None, rests: RetryTimes) -> CacheEntry:
    if fetched.error is None:
        return replace(fetched.part, withheld=True, read_at=before.read_at if before else None)
    error = fetched.error
    return replace(before or fetched.part, error_code=error.code, retry_at=rests.of(error))


def _event_types(fetched: Fetched) -> tuple[EventType, ...] | None:
    if fetched.error or fetched.unchanged:
        return None
    return tuple(each for each in fetched.values if isinstance(each, EventType))


def _active(listed: Sequence[EventType]) -> tuple[str, ...]:
    return tuple(each.uri for each in listed if each.is_offered)


def _rest(
    cache_state: CacheState, refresh_scope: RefreshScope, active: Sequence[str] | None
) -> list[Ask]:
    """Return what else is wanted; slots only of what is active, as far as that is known."""
    candidates = {*cache_state.entries, *refresh_scope.named}
    if refresh_scope.whole:
        candidates.update(CacheKey(CacheKind.SLOTS, uri) for uri in active or ())
    return [
        _ask(at, cache_state)
        for at in sorted(candidates)
        if at != EVENT_TYPES
        and not is_over(at, cache_state.now)
        and (active is None or at.part is not CacheKind.SLOTS or base_of(at.key) in active)
        and refresh_scope.wants(at, cache_state)
    ]


def _ask(at: CacheKey, cache_state: CacheState) -> Ask:
    head = cache_state.entries.get(at)
    return Ask(at, head.etag, head.covers) if head is not None and head.known else Ask(at)


def _spent(cache_state: CacheState, wanted: set[CacheKey]) -> tuple[CacheKey, ...]:
    return tuple(
        at
        for at, head in cache_state.entries.items()
        if at not in wanted
        and (is_over(at, cache_state.now) or is_spent(head, cache_state.now, cache_state.policy))
    )
