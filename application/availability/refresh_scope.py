"""What a refresh of a user's availability is for, and so which parts it wants.

Every errand decides under the right to fetch, from what is stored at that moment: what somebody
else has brought meanwhile is not asked for again.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Protocol

from application.availability.retry_times import passes
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from domain.cache_policy import CachePolicy, Freshness
from domain.errors import CalendlyThrottled
from domain.integration import Integration
from domain.sync_plan import (
    asking_due,
    freshness_of,
    is_used,
    keeping_due,
    may_be_asked,
    still_wanted,
    wanted_by_sync,
)
from domain.windows import base_of, is_far

EVENT_TYPES = CacheKey(CacheKind.EVENT_TYPES)
SINGLE = (EVENT_TYPES, CacheKey(CacheKind.BUSY), CacheKey(CacheKind.SCHEDULES))


class CacheState:
    """What is stored of a user when a refresh begins."""

    def __init__(
        self,
        integration: Integration,
        entries: Iterable[CacheEntry],
        now: datetime,
        policy: CachePolicy,
    ) -> None:
        self.integration = integration
        self.entries = {head.at: head for head in entries}
        self.now = now
        self.policy = policy

    @cached_property
    def is_used(self) -> bool:
        """Whether the user is kept warm."""
        reads = [head.read_at for head in self.entries.values() if head.read_at is not None]
        read_at = max(reads, default=None)
        return is_used(read_at, self.now, self.policy, self.integration.connected_at)

    def keep_slots_of(self, active: Collection[str]) -> None:
        """Forget the slots of all event types but these."""
        self.entries = {
            at: head
            for at, head in self.entries.items()
            if at.part is not CacheKind.SLOTS or base_of(at.key) in active
        }

    def due_at(self, usual: datetime) -> datetime:
        """Return when the sync turns to the user again (UTC).

        That is as usual, or sooner: before a part expires, or when one has rested that failed
        for a reason that passes.
        """
        now, policy, since = self.now, self.policy, self.integration.connected_at
        entries = self.entries.values()
        kept = (keeping_due(head, now, policy, since) for head in entries)
        failed = (head for head in entries if passes(head.error_code))
        asked = (asking_due(head, now, policy, since) for head in failed)
        return min([usual, *filter(None, kept), *filter(None, asked)])


class RefreshScope(Protocol):
    """Which parts a refresh wants."""

    @property
    def named(self) -> Iterable[CacheKey]:
        """Parts that it may want although nothing is stored of them."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the slots of every active event type belong to it."""
        ...

    def wants(self, at: CacheKey, cache_state: CacheState) -> bool:
        """Whether Calendly is to be asked for a part."""
        ...


class RequestedEntries:
    """What readers found old or missing.

    Args:
        parts: each with the moment before which it must not have been fetched (UTC), or None
            where fresh is new enough.
        waited_for: somebody waits for the answer.

    """

    whole = False

    def __init__(self, parts: Mapping[CacheKey, datetime | None], *, waited_for: bool) -> None:
        self.parts = dict(parts)
        self.waited_for = waited_for

    @property
    def named(self) -> Iterable[CacheKey]:
        """All of them."""
        return self.parts

    def wants(self, at: CacheKey, cache_state: CacheState) -> bool:
        """Whether it is wished for, and not brought meanwhile."""
        head = cache_state.entries.get(at)
        if at not in self.parts or rests(
            head, cache_state.integration, cache_state.now, self.waited_for
        ):
            return False
        state = freshness_of(head, cache_state.now, cache_state.policy)
        return state is not Freshness.FRESH or is_older(head, self.parts[at])


class AllEntries:
    """All that is not fresh, as if the user were just about to be read."""

    whole = True
    named = SINGLE

    def wants(self, at: CacheKey, cache_state: CacheState) -> bool:
        """Whether a near window, or what has none, is not fresh."""
        return not is_far(at.key) and still_wanted(
            cache_state.entries.get(at), cache_state.now, cache_state.policy
        )


class DueEntries:
    """What the schedule keeps warm: what is read, as far as it is not fresh."""

    whole = True
    named = SINGLE

    def wants(self, at: CacheKey, cache_state: CacheState) -> bool:
        """Whether a part is worth a call though nobody asks for it just now."""
        head = cache_state.entries.get(at)
        if head is None:
            return cache_state.is_used
        return wanted_by_sync(
            head, cache_state.now, cache_state.policy, cache_state.integration.connected_at
        )


def is_older(head: CacheEntry | None, moment: datetime | None) -> bool:
    """Whether a part was fetched before a moment (UTC) before which it must not have been."""
    return head is not None and moment is not None and head.fetched_at < moment


def rests(
    head: CacheEntry | None, integration: Integration, now: datetime, waited_for: bool
) -> bool:
    """Whether Calendly must not be asked for a part yet, because it failed a moment ago.

    What a job was denied for want of budget is no word of Calendly's: whoever waits may try, for
    the budget keeps room for just that.
    """
    if head is None or may_be_asked(head, now):
        return False
    paused = integration.calls_paused_until is not None and now < integration.calls_paused_until
    return not waited_for or paused or head.error_code != CalendlyThrottled.code
