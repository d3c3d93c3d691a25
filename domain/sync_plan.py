"""Which parts of a user's availability are worth a call to Calendly, and which are worth keeping.

A part is refilled because somebody reads it, not because it is old: what nobody read since its
last fetch is left to turn stale, and is asked for again only so that it does not expire under a
user who was there lately.
"""

from datetime import datetime
from typing import Protocol

from domain.cache_policy import CachePolicy, Freshness
from domain.windows import is_far

# A user is looked at about once in a soft TTL: what would expire before the look after the next
# one is refilled now.
LOOKS_AHEAD = 2


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


def standing(head: Head | None, now: datetime, policy: CachePolicy) -> Freshness:
    """Judge a part; one that no fetch ever brought is missing."""
    if head is None or not head.known:
        return Freshness.MISSING
    return policy.freshness(head.fetched_at, head.invalidated_at, now, head.seed)


def may_be_asked(head: Head | None, now: datetime) -> bool:
    """Whether no failure forbids to ask Calendly for a part now."""
    return head is None or head.retry_at is None or head.retry_at <= now


def still_wanted(head: Head | None, now: datetime, policy: CachePolicy) -> bool:
    """Whether a part that a reader found old is worth a call under the right to fetch."""
    return may_be_asked(head, now) and standing(head, now, policy) is not Freshness.FRESH


def wanted_by_sync(head: Head, now: datetime, policy: CachePolicy, connected_at: datetime) -> bool:
    """Whether the sync refills a part.

    Args:
        head: the part.
        now: when (UTC).
        policy: its ages.
        connected_at: when the user connected (UTC), which counts as a first reading.

    """
    if not still_wanted(head, now, policy):
        return False
    return _is_read(head) or (
        not is_far(head.key)
        and _expires_soon(head, now, policy)
        and is_used(head.read_at, now, policy, connected_at)
    )


def is_used(
    read_at: datetime | None, now: datetime, policy: CachePolicy, connected_at: datetime
) -> bool:
    """Whether what was last read then is kept warm, for a user who connected then (UTC)."""
    return now - max(connected_at, read_at or connected_at) <= policy.keep_warm


def is_spent(head: Head, now: datetime, policy: CachePolicy) -> bool:
    """Whether a far cell has expired and nobody reads it; near windows are never dropped.

    One that somebody reads stays though it cannot be fetched: it is the last known.
    """
    expires_at = policy.deadlines(head.fetched_at, head.seed).expires_at
    return is_far(head.key) and now > expires_at and not _is_read(head)


def _is_read(head: Head) -> bool:
    """Whether somebody read a part since it was fetched."""
    return head.read_at is not None and head.read_at >= head.fetched_at


def _expires_soon(head: Head, now: datetime, policy: CachePolicy) -> bool:
    expires_at = policy.deadlines(head.fetched_at, head.seed).expires_at
    return not head.known or expires_at <= now + policy.soft_ttl * LOOKS_AHEAD
