"""The cache entries of a user that are worth a call to Calendly, and those worth keeping.

An entry is refreshed because callers read it, not because it is old. An entry that callers read
often is refreshed as soon as it is stale or invalidated. An entry that callers read rarely is
refreshed in the background of its next read. Of the entries that no caller reads, only event types
and slots are refreshed, so that they do not expire for a recently active user.
"""

from datetime import datetime, timedelta
from typing import Protocol

from domain.cache_policy import Aging, CachePolicy, Freshness
from domain.windows import is_far

# Time between runs of the sync; its schedule is made from it, so it divides an hour.
SYNC_INTERVAL = timedelta(minutes=15)
# A user is due this long before an entry expires, so that one run may be missed. An entry that
# expires up to this share of it later is refreshed in the same run.
REFRESH_AHEAD = 2 * SYNC_INTERVAL
ALONG = 0.5
# A caller who read an entry within this time is expected to read it again before it changes.
RECENT_READ = 2 * SYNC_INTERVAL


class EntryState(Protocol):
    """A cache entry without its content."""

    @property
    def key(self) -> str:
        """The event type's URI, with the number of a far window."""
        ...

    @property
    def has_content(self) -> bool:
        """Whether a fetch of it ever succeeded."""
        ...

    @property
    def seed(self) -> str:
        """The text that spreads its deadlines; see `CachePolicy.deadlines`."""
        ...

    @property
    def aging(self) -> Aging:
        """The kind of deadlines that it has."""
        ...

    @property
    def is_offer(self) -> bool:
        """Whether it is kept from expiring although no caller has read it yet."""
        ...

    @property
    def fetched_at(self) -> datetime:
        """When it was last fetched, or first tried (UTC)."""
        ...

    @property
    def invalidated_at(self) -> datetime | None:
        """When something changed since (UTC)."""
        ...

    @property
    def settles_at(self) -> datetime | None:
        """When it is fetched once more, because a change had just preceded its fetch (UTC)."""
        ...

    @property
    def read_at(self) -> datetime | None:
        """When a caller last read it (UTC)."""
        ...

    @property
    def retry_at(self) -> datetime | None:
        """Before when it must not be fetched from Calendly (UTC)."""
        ...


def freshness_of(entry: EntryState | None, now: datetime, policy: CachePolicy) -> Freshness:
    """Return an entry's freshness; MISSING when no fetch of it ever succeeded."""
    if entry is None or not entry.has_content:
        return Freshness.MISSING
    return policy.freshness(
        entry.fetched_at,
        entry.invalidated_at,
        now,
        entry.seed,
        entry.aging,
        settles_at=entry.settles_at,
    )


def may_be_fetched(entry: EntryState | None, now: datetime) -> bool:
    """Whether no earlier failure forbids a fetch now (UTC)."""
    return entry is None or entry.retry_at is None or entry.retry_at <= now


def needs_refresh(entry: EntryState | None, now: datetime, policy: CachePolicy) -> bool:
    """Whether an entry is worth a call; the worker decides it while it holds the lease."""
    return may_be_fetched(entry, now) and freshness_of(entry, now, policy) is not Freshness.FRESH


def is_due_for_sync(
    entry: EntryState, now: datetime, policy: CachePolicy, connected_at: datetime
) -> bool:
    """Whether the sync refreshes an entry.

    Args:
        entry: the cache entry.
        now: the time (UTC).
        policy: the deadlines of entries.
        connected_at: when the user connected (UTC), which counts as a first read.

    """
    if not may_be_fetched(entry, now):
        return False
    if not entry.has_content:
        return not is_far(entry.key) and is_used(entry.read_at, now, policy, connected_at)
    if _expires_at(entry, policy) <= now + _ahead(policy) * (1 + ALONG):
        return _is_read(entry) or is_kept_warm(entry, now, policy, connected_at)
    return _is_read(entry) and _is_read_recently(entry, now) and needs_refresh(entry, now, policy)


def is_kept_warm(
    entry: EntryState, now: datetime, policy: CachePolicy, connected_at: datetime
) -> bool:
    """Whether the sync keeps an entry from expiring; arguments as for `is_due_for_sync`."""
    if not entry.has_content or is_far(entry.key):
        return False
    if entry.read_at is None and not entry.is_offer:
        return False
    return is_used(entry.read_at, now, policy, connected_at)


def keep_warm_due_at(
    entry: EntryState, now: datetime, policy: CachePolicy, connected_at: datetime
) -> datetime | None:
    """Return when the sync has to refresh an entry before it expires (UTC), after now.

    None when the entry may expire, or when that time has passed.
    """
    if not is_kept_warm(entry, now, policy, connected_at):
        return None
    due_at = _expires_at(entry, policy) - _ahead(policy)
    if entry.retry_at is not None:
        due_at = max(due_at, entry.retry_at)
    return due_at if due_at > now else None


def settling_due_at(
    entry: EntryState, now: datetime, policy: CachePolicy, connected_at: datetime
) -> datetime | None:
    """Return when the sync is to fetch an entry once more (UTC), after now, or None.

    That is after the minute in which Calendly's lists may lag behind a change.
    """
    at = entry.settles_at
    if at is None or at <= now or not is_kept_warm(entry, now, policy, connected_at):
        return None
    return at


def retry_due_at(
    entry: EntryState, now: datetime, policy: CachePolicy, connected_at: datetime
) -> datetime | None:
    """Return when the sync is to retry an entry that failed (UTC), after now, or None."""
    retry_at = entry.retry_at
    if retry_at is None or retry_at <= now:
        return None
    return retry_at if is_due_for_sync(entry, retry_at, policy, connected_at) else None


def is_used(
    read_at: datetime | None, now: datetime, policy: CachePolicy, connected_at: datetime
) -> bool:
    """Whether an entry with this last read is kept warm, for a user who connected then (UTC)."""
    return now - max(connected_at, read_at or connected_at) <= policy.keep_warm


def is_obsolete(entry: EntryState, now: datetime, policy: CachePolicy) -> bool:
    """Whether a far window has expired and no caller reads it; near windows are never dropped.

    A window that callers read stays although it cannot be fetched: it is the last known.
    """
    return is_far(entry.key) and now > _expires_at(entry, policy) and not _is_read(entry)


def _is_read(entry: EntryState) -> bool:
    """Whether a caller read it after the fetch; the read that caused the fetch does not count."""
    return entry.read_at is not None and entry.read_at > entry.fetched_at


def _is_read_recently(entry: EntryState, now: datetime) -> bool:
    return entry.read_at is not None and now - entry.read_at <= RECENT_READ


def _expires_at(entry: EntryState, policy: CachePolicy) -> datetime:
    return policy.deadlines(entry.fetched_at, entry.seed, entry.aging).expires_at


def _ahead(policy: CachePolicy) -> timedelta:
    """Return how long before it expires an entry is refreshed.

    With short lives that is less. Otherwise the sync would refresh an entry that it has just
    refreshed.
    """
    return min(REFRESH_AHEAD, policy.shortest_life / 4)
