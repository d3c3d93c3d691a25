"""How fresh a cache entry is, and how a read treats it.

A fresh entry is served. A stale or invalidated one is served immediately, with its age, and
refreshed in the background. An expired one is served only while Calendly is unavailable.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

import msgspec

SETTLING = timedelta(seconds=60)
"""How long after a change Calendly's own lists may not show it. An entry that is fetched within
this time is fetched once more after it."""


class Freshness(StrEnum):
    """The state of a cache entry."""

    FRESH = "fresh"
    STALE = "stale"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"
    MISSING = "missing"


class Aging(StrEnum):
    """The deadlines of an entry, by how its changes become known.

    TIMES: slots and busy times. Webhooks report bookings; no webhook reports entries in other
    calendars or changed working hours.
    LISTS: event types and schedules. They change rarely, and event types have their own webhooks.
    """

    TIMES = "times"
    LISTS = "lists"


class Deadlines(NamedTuple):
    """When an entry becomes stale, and when it expires (UTC); `expires_at` is never earlier."""

    stale_at: datetime
    expires_at: datetime


class CachePolicy(msgspec.Struct, frozen=True):
    """The ages at which a cache entry becomes stale and expires.

    Args:
        soft_ttl: times are fresh until this age and stale after it; the sync refreshes those
            that callers read.
        lists_soft_ttl: the same for lists.
        stale_while_revalidate: how long a stale entry may be served immediately (RFC 5861).
        ttl: an entry expires after this age, whatever the other two say.
        jitter: the share of an age by which a deadline may be earlier, so that entries that
            were fetched together do not become stale together.
        keep_warm: how long after the last read, or after connecting, the sync keeps an entry
            from expiring.

    """

    soft_ttl: timedelta = timedelta(hours=6)
    lists_soft_ttl: timedelta = timedelta(hours=12)
    stale_while_revalidate: timedelta = timedelta(hours=24)
    ttl: timedelta = timedelta(hours=24)
    jitter: float = 0.1
    keep_warm: timedelta = timedelta(days=7)

    @property
    def shortest_life(self) -> timedelta:
        """The shortest time from an entry's fetch to its expiry."""
        soft_ttl = min(self.soft_ttl, self.lists_soft_ttl)
        share = 1 - self.jitter
        return min(soft_ttl * share + self.stale_while_revalidate, self.ttl * share)

    def deadlines(
        self, fetched_at: datetime, seed: str, aging: Aging, settles_at: datetime | None = None
    ) -> Deadlines:
        """Return when an entry becomes stale and when it expires.

        Args:
            fetched_at: when it was fetched (UTC).
            seed: a text that differs between entries of the same moment. The same seed and
                moment give the same deadlines in every process.
            aging: the kind of its deadlines.
            settles_at: when Calendly's lists show the latest change (UTC), if the entry was
                fetched before that.

        """
        share = 1 - self.jitter * _fraction(seed, fetched_at)
        expires_at = fetched_at + self.ttl * share
        soft_ttl = self.soft_ttl if aging is Aging.TIMES else self.lists_soft_ttl
        stale_at = min(fetched_at + soft_ttl * share, expires_at)
        expires_at = min(stale_at + self.stale_while_revalidate, expires_at)
        return Deadlines(min(stale_at, settles_at or stale_at), expires_at)

    def freshness(
        self,
        fetched_at: datetime,
        invalidated_at: datetime | None,
        now: datetime,
        seed: str,
        aging: Aging,
        *,
        settles_at: datetime | None = None,
    ) -> Freshness:
        """Return an entry's freshness at `now`; all times in UTC; see `deadlines`."""
        deadlines = self.deadlines(fetched_at, seed, aging, settles_at)
        if now > deadlines.expires_at:
            return Freshness.EXPIRED
        if invalidated_at is not None and invalidated_at >= fetched_at:
            return Freshness.INVALIDATED
        return Freshness.STALE if now > deadlines.stale_at else Freshness.FRESH


def settles_at(fetched_at: datetime, changed_at: datetime) -> datetime | None:
    """Return when Calendly's lists show a change (UTC), if the entry was fetched before that."""
    settled = changed_at + SETTLING
    return settled if fetched_at < settled else None


def _fraction(seed: str, fetched_at: datetime) -> float:
    """Return a number in [0, 1) that is always the same for the same arguments."""
    text = f"{seed} {fetched_at.timestamp()}".encode()
    return int.from_bytes(blake2b(text, digest_size=6).digest()) / 2**48
