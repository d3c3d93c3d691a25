"""How fresh a cached part is, and what that entitles a reader to.

fresh: serve. stale or invalidated: serve at once, with its age, while one refresh runs behind.
expired: old enough that it is served only while Calendly cannot be asked.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

import msgspec


class Freshness(StrEnum):
    """What may be said of a cached part."""

    FRESH = "fresh"
    STALE = "stale"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"
    MISSING = "missing"


class Aging(StrEnum):
    """How a part grows old, by what else tells of its changes.

    TIMES: slots and busy times. Webhooks tell of bookings; of what is entered in other calendars,
    and of changed working hours, nobody tells.
    LISTS: event types and schedules. They change seldom, and event types have their own webhooks.
    """

    TIMES = "times"
    LISTS = "lists"


class Deadlines(NamedTuple):
    """When a part turns stale, and when it expires (UTC); never the other way round."""

    stale_at: datetime
    expires_at: datetime


class CachePolicy(msgspec.Struct, frozen=True):
    """Ages at which a cached part loses standing.

    Args:
        soft_ttl: times are fresh until this age and stale after it; the sync refills those of
            them that somebody reads.
        lists_soft_ttl: the same of lists.
        stale_while_revalidate: how long a stale part may be served at once (RFC 5861).
        ttl: expired after this age, however the other two are set.
        jitter: the share of an age by which a part may lose standing earlier, so that parts
            that were fetched together do not lose it together.
        keep_warm: how long after a read, or after connecting, the sync keeps a part from
            expiring that nobody read again.

    """

    soft_ttl: timedelta = timedelta(hours=6)
    lists_soft_ttl: timedelta = timedelta(hours=12)
    stale_while_revalidate: timedelta = timedelta(hours=24)
    ttl: timedelta = timedelta(hours=24)
    jitter: float = 0.1
    keep_warm: timedelta = timedelta(days=7)

    @property
    def shortest_life(self) -> timedelta:
        """The least time from a part's fetch to its expiry."""
        soft_ttl = min(self.soft_ttl, self.lists_soft_ttl)
        share = 1 - self.jitter
        return min(soft_ttl * share + self.stale_while_revalidate, self.ttl * share)

    def deadlines(self, fetched_at: datetime, seed: str, aging: Aging) -> Deadlines:
        """Return when a part that was fetched then (UTC) loses standing.

        Args:
            fetched_at: when (UTC).
            seed: what tells the part from others of the same moment. The same seed and moment
                give the same deadlines in every process.
            aging: how it grows old.

        """
        share = 1 - self.jitter * _chance(seed, fetched_at)
        expires_at = fetched_at + self.ttl * share
        soft_ttl = self.soft_ttl if aging is Aging.TIMES else self.lists_soft_ttl
        stale_at = min(fetched_at + soft_ttl * share, expires_at)
        return Deadlines(stale_at, min(stale_at + self.stale_while_revalidate, expires_at))

    def freshness(
        self,
        fetched_at: datetime,
        invalidated_at: datetime | None,
        now: datetime,
        seed: str,
        aging: Aging,
    ) -> Freshness:
        """Judge a part by when it was fetched and whether something changed since (UTC)."""
        deadlines = self.deadlines(fetched_at, seed, aging)
        if now > deadlines.expires_at:
            return Freshness.EXPIRED
        if invalidated_at is not None and invalidated_at >= fetched_at:
            return Freshness.INVALIDATED
        return Freshness.STALE if now > deadlines.stale_at else Freshness.FRESH


def _chance(seed: str, fetched_at: datetime) -> float:
    """Return a number from 0 up to 1 that is always the same for these."""
    text = f"{seed} {fetched_at.timestamp()}".encode()
    return int.from_bytes(blake2b(text, digest_size=6).digest()) / 2**48
