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


class Deadlines(NamedTuple):
    """When a part turns stale, and when it expires (UTC); never the other way round."""

    stale_at: datetime
    expires_at: datetime


class CachePolicy(msgspec.Struct, frozen=True):
    """Ages at which a cached part loses standing.

    Args:
        soft_ttl: fresh until this age, stale after it; the sync refills what passed it.
        stale_while_revalidate: how long a stale part may be served at once (RFC 5861).
        ttl: expired after this age, however the other two are set.
        jitter: the share of an age by which a part may lose standing earlier, so that parts
            that were fetched together do not lose it together.
        keep_warm: how long after a read, or after connecting, the sync keeps a part from
            expiring that nobody read again.

    """

    soft_ttl: timedelta = timedelta(hours=1)
    stale_while_revalidate: timedelta = timedelta(hours=24)
    ttl: timedelta = timedelta(hours=24)
    jitter: float = 0.1
    keep_warm: timedelta = timedelta(days=7)

    def deadlines(self, fetched_at: datetime, seed: str) -> Deadlines:
        """Return when a part that was fetched then (UTC) loses standing.

        Args:
            fetched_at: when (UTC).
            seed: what tells the part from others of the same moment. The same seed and moment
                give the same deadlines in every process.

        """
        share = 1 - self.jitter * _chance(seed, fetched_at)
        expires_at = fetched_at + self.ttl * share
        stale_at = min(fetched_at + self.soft_ttl * share, expires_at)
        return Deadlines(stale_at, min(stale_at + self.stale_while_revalidate, expires_at))

    def freshness(
        self, fetched_at: datetime, invalidated_at: datetime | None, now: datetime, seed: str
    ) -> Freshness:
        """Judge a part by when it was fetched and whether something changed since (UTC)."""
        deadlines = self.deadlines(fetched_at, seed)
        if now > deadlines.expires_at:
            return Freshness.EXPIRED
        if invalidated_at is not None and invalidated_at >= fetched_at:
            return Freshness.INVALIDATED
        return Freshness.STALE if now > deadlines.stale_at else Freshness.FRESH


def _chance(seed: str, fetched_at: datetime) -> float:
    """Return a number from 0 up to 1 that is always the same for these."""
    text = f"{seed} {fetched_at.timestamp()}".encode()
    return int.from_bytes(blake2b(text, digest_size=6).digest()) / 2**48
