"""The purpose of a refresh, which decides the entries that it fetches.

A scope decides while the worker holds the lease, from the entries stored at that moment. So an
entry that another process has fetched is not fetched again.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Protocol, TypeAlias

from application.availability.retry_times import is_temporary
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from domain.cache_policy import CachePolicy, Freshness
from domain.errors import CalendlyThrottled
from domain.integration import Integration
from domain.sync_plan import (
    freshness_of,
    is_due_for_sync,
    is_used,
    keep_warm_due_at,
    may_be_fetched,
    needs_refresh,
    retry_due_at,
    settling_due_at,
)
from domain.windows import base_of, is_far

EVENT_TYPES = CacheKey(CacheKind.EVENT_TYPES)
SINGLE = (EVENT_TYPES, CacheKey(CacheKind.BUSY), CacheKey(CacheKind.SCHEDULES))

RequestedKeys: TypeAlias = Mapping[CacheKey, datetime | None]
"""Keys, each with the moment before which the entry must not have been fetched (UTC).

With None a fresh entry is new enough.
"""


class CacheState:
    """The stored entries of a user when a refresh begins, without their content.

    Args:
        integration: the user's integration, read in the same unit of work.
        entries: all entries.
        now: the time (UTC).
        policy: the deadlines of entries.
        event_types: the entry of event types with its content, if it exists.

    """

    def __init__(
        self,
        integration: Integration,
        entries: Iterable[CacheEntry],
        now: datetime,
        policy: CachePolicy,
        event_types: CacheEntry | None = None,
    ) -> None:
        self.integration = integration
        self.entries = {each.cache_key: each for each in entries}
        self.now = now
        self.policy = policy
        self.event_types = event_types

    @cached_property
    def is_used(self) -> bool:
        """Whether the user's entries are kept warm."""
        reads = [each.read_at for each in self.entries.values() if each.read_at is not None]
        read_at = max(reads, default=None)
        return is_used(read_at, self.now, self.policy, self.integration.connected_at)

    def keep_slots_of(self, active: Collection[str]) -> None:
        """Remove the slots of all other event types."""
        self.entries = {
            key: entry
            for key, entry in self.entries.items()
            if key.kind is not CacheKind.SLOTS or base_of(key.key) in active
        }

    def due_at(self, usual: datetime) -> datetime:
        """Return when the user is due for the sync again (UTC).

        That is the usual time, or an earlier one: before an entry expires, or when an entry with a
        temporary failure may be retried. An entry that was fetched just after a change is fetched
        once more.
        """
        now, policy, since = self.now, self.policy, self.integration.connected_at
        entries = self.entries.values()
        kept = (keep_warm_due_at(each, now, policy, since) for each in entries)
        settled = (settling_due_at(each, now, policy, since) for each in entries)
        failed = (each for each in entries if is_temporary(each.error_code))
        retried = (retry_due_at(each, now, policy, since) for each in failed)
        return min([usual, *filter(None, kept), *filter(None, settled), *filter(None, retried)])


class RefreshScope(Protocol):
    """Decides the entries that a refresh fetches."""

    @property
    def named(self) -> Iterable[CacheKey]:
        """Keys that it may want although no entry is stored."""
        ...

    @property
    def whole(self) -> bool:
        """Whether it includes the slots of every active event type."""
        ...

    def wants(self, key: CacheKey, cache_state: CacheState) -> bool:
        """Whether an entry is fetched from Calendly."""
        ...


class RequestedEntries:
    """The entries that callers found old or missing.

    Args:
        requested: their keys.
        waited_for: a caller waits for the result.

    """

    whole = False

    def __init__(self, requested: RequestedKeys, *, waited_for: bool) -> None:
        self.requested = dict(requested)
        self.waited_for = waited_for

    @property
    def named(self) -> Iterable[CacheKey]:
        return self.requested

    def wants(self, key: CacheKey, cache_state: CacheState) -> bool:
        """Whether it is requested, and no other process has fetched it since."""
        entry, now = cache_state.entries.get(key), cache_state.now
        if key not in self.requested:
            return False
        if is_backing_off(entry, cache_state.integration, now, waited_for=self.waited_for):
            return False
        freshness = freshness_of(entry, now, cache_state.policy)
        return freshness is not Freshness.FRESH or is_older(entry, self.requested[key])


class AllEntries:
    """All entries that are not fresh, as if a caller were about to read the user."""

    whole = True
    named = SINGLE

    def wants(self, key: CacheKey, cache_state: CacheState) -> bool:
        """Whether an entry is not fresh, far windows excluded."""
        return not is_far(key.key) and needs_refresh(
            cache_state.entries.get(key), cache_state.now, cache_state.policy
        )


class DueEntries:
    """The entries that the schedule keeps warm: those that callers read and that are not fresh."""

    whole = True
    named = SINGLE

    def wants(self, key: CacheKey, cache_state: CacheState) -> bool:
        """Whether an entry is worth a call although no caller requests it now."""
        entry = cache_state.entries.get(key)
        if entry is None:
            return cache_state.is_used
        return is_due_for_sync(
            entry, cache_state.now, cache_state.policy, cache_state.integration.connected_at
        )


def is_older(entry: CacheEntry | None, moment: datetime | None) -> bool:
    """Whether an entry was fetched before the moment before which it must not have been (UTC)."""
    return entry is not None and moment is not None and entry.fetched_at < moment


def is_backing_off(
    entry: CacheEntry | None, integration: Integration, now: datetime, *, waited_for: bool
) -> bool:
    """Whether an entry must not be fetched yet, because its last fetch failed.

    If our own rate limit refused a job, Calendly did not. A user request may still try, because
    part of the limit is reserved for it.
    """
    if entry is None or may_be_fetched(entry, now):
        return False
    paused = integration.calls_paused_until is not None and now < integration.calls_paused_until
    return not waited_for or paused or entry.error_code != CalendlyThrottled.code
