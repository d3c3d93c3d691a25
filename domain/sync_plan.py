"""Which parts of a user's availability are worth a call to Calendly, and which are worth keeping.

A part is refilled because somebody reads it, not because it is old. What is read often is refilled
as soon as it is stale or overtaken; what is read now and then waits for its next reader, behind
whose answer it is fetched; and of what nobody reads only the offer is asked for again, so that it
does not expire under a user who was there lately.
"""

from datetime import datetime, timedelta
from typing import Protocol

from domain.cache_policy import Aging, CachePolicy, Freshness
from domain.windows import is_far

# Between runs of the sync, as its schedule has it.
SYNC_INTERVAL = timedelta(minutes=15)
# A user is due so long before a part expires that one run may be missed; what expires by so large
# a share of that later is refilled along with it.
REFRESH_AHEAD = 2 * SYNC_INTERVAL
ALONG = 0.5
# Who read a part within this time is thought to read it again before it changes once more.
RECENT_READ = 2 * SYNC_INTERVAL


class Head(Protocol):
    """All that is known of a cached part but its content."""

    @property
    def key(self) -> str:
        """Its event type, cell included."""
        ...

    @property
    def known(self) -> bool:
        """Whether a fetch ever brought its content."""
        ...

    @property
    def seed(self) -> str:
        """What its deadlines are spread by."""
        ...

    @property
    def aging(self) -> Aging:
        """How it grows old."""
        ...

    @property
    def is_offer(self) -> bool:
        """Whether it is kept from expiring though nobody read it yet."""
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
    def read_at(self) -> datetime | None:
        """When somebody last read it (UTC)."""
        ...

    @property
    def retry_at(self) -> datetime | None:
        """Before when Calendly is not to be asked for it (UTC)."""
        ...


def freshness_of(head: Head | None, now: datetime, policy: CachePolicy) -> Freshness:
    """Judge a part; one that no fetch ever brought is missing."""
    if head is None or not head.known:
        return Freshness.MISSING
    return policy.freshness(head.fetched_at, head.invalidated_at, now, head.seed, head.aging)


def may_be_asked(head: Head | None, now: datetime) -> bool:
    """Whether no failure forbids to ask Calendly for a part now."""
    return head is None or head.retry_at is None or head.retry_at <= now


def still_wanted(head: Head | None, now: datetime, policy: CachePolicy) -> bool:
    """Whether a part that a reader found old is worth a call under the right to fetch."""
    return may_be_asked(head, now) and freshness_of(head, now, policy) is not Freshness.FRESH


def wanted_by_sync(head: Head, now: datetime, policy: CachePolicy, connected_at: datetime) -> bool:
    """Whether the sync refills a part.

    Args:
        head: the part.
        now: when (UTC).
        policy: its ages.
        connected_at: when the user connected (UTC), which counts as a first reading.

    """
    if not may_be_asked(head, now):
        return False
    if not head.known:
        return not is_far(head.key) and is_used(head.read_at, now, policy, connected_at)
    if _expires_at(head, policy) <= now + _ahead(policy) * (1 + ALONG):
        return _is_read(head) or is_kept(head, now, policy, connected_at)
    return _is_read(head) and _is_read_lately(head, now) and still_wanted(head, now, policy)


def is_kept(head: Head, now: datetime, policy: CachePolicy, connected_at: datetime) -> bool:
    """Whether a part is kept from expiring; `connected_at` as for `wanted_by_sync`."""
    if not head.known or is_far(head.key) or (head.read_at is None and not head.is_offer):
        return False
    return is_used(head.read_at, now, policy, connected_at)


def keeping_due(
    head: Head, now: datetime, policy: CachePolicy, connected_at: datetime
) -> datetime | None:
    """Return when the sync has to look at a part lest it expires (UTC), after now.

    None when it may expire, or when that was to be done by now.
    """
    if not is_kept(head, now, policy, connected_at):
        return None
    due_at = _expires_at(head, policy) - _ahead(policy)
    if head.retry_at is not None:
        due_at = max(due_at, head.retry_at)
    return due_at if due_at > now else None


def asking_due(
    head: Head, now: datetime, policy: CachePolicy, connected_at: datetime
) -> datetime | None:
    """Return when the sync is to ask again for a part that failed (UTC), after now, or None."""
    again = head.retry_at
    if again is None or again <= now:
        return None
    return again if wanted_by_sync(head, again, policy, connected_at) else None


def is_used(
    read_at: datetime | None, now: datetime, policy: CachePolicy, connected_at: datetime
) -> bool:
    """Whether what was last read then is kept warm, for a user who connected then (UTC)."""
    return now - max(connected_at, read_at or connected_at) <= policy.keep_warm


def is_spent(head: Head, now: datetime, policy: CachePolicy) -> bool:
    """Whether a far cell has expired and nobody reads it; near windows are never dropped.

    One that somebody reads stays though it cannot be fetched: it is the last known.
    """
    return is_far(head.key) and now > _expires_at(head, policy) and not _is_read(head)


def _is_read(head: Head) -> bool:
    """Whether somebody read a part after it was fetched; whom the fetch was for does not count."""
    return head.read_at is not None and head.read_at > head.fetched_at


def _is_read_lately(head: Head, now: datetime) -> bool:
    return head.read_at is not None and now - head.read_at <= RECENT_READ


def _expires_at(head: Head, policy: CachePolicy) -> datetime:
    return policy.deadlines(head.fetched_at, head.seed, head.aging).expires_at


def _ahead(policy: CachePolicy) -> timedelta:
    """Return how long before it expires a part is refilled.

    Where parts live shortly that is less, or the sync would refill what it has just refilled.
    """
    return min(REFRESH_AHEAD, policy.shortest_life / 4)
