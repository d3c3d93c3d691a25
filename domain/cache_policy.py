"""How fresh a cached part is, and what that entitles a reader to.

fresh: serve. stale or invalidated: serve at once, with its age, while one refresh runs behind.
expired: old enough that it is served only while Calendly cannot be asked.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Freshness(StrEnum):
    """What may be said of a cached part."""

    FRESH = "fresh"
    STALE = "stale"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"
    MISSING = "missing"


class CachePolicy(msgspec.Struct, frozen=True):
    """Ages at which a cached part loses standing.

    Args:
        soft_ttl: fresh until this age, stale after it; the sync refills what passed it.
        ttl: expired after this age.

    """

    soft_ttl: timedelta = timedelta(hours=1)
    ttl: timedelta = timedelta(hours=24)


def freshness(
    fetched_at: datetime, invalidated_at: datetime | None, now: datetime, policy: CachePolicy
) -> Freshness:
    """Judge a part by when it was fetched and whether something changed since (UTC)."""
    age = now - fetched_at
    if age > policy.ttl:
        return Freshness.EXPIRED
    if invalidated_at is not None and invalidated_at >= fetched_at:
        return Freshness.INVALIDATED
    return Freshness.STALE if age > policy.soft_ttl else Freshness.FRESH
