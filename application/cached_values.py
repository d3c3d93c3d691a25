"""What the availability cache holds, as bytes and back: JSON of the domain's own values."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from application.ports.availability_cache import CachedPart
from domain.availability import BusyTime, EventType, Schedule, Slot
from domain.cache_policy import CachePolicy, Freshness, freshness

_encode = msgspec.json.Encoder().encode
_event_types = msgspec.json.Decoder(tuple[EventType, ...])
_slots = msgspec.json.Decoder(tuple[Slot, ...])


class CacheAge(msgspec.Struct, frozen=True):
    """How old an answer is and what that means; every answer from the cache carries one."""

    fetched_at: datetime
    age_seconds: int
    freshness: Freshness
    expires_at: datetime
    invalidated_by: str | None = None
    error_code: str | None = None


def encode(values: Sequence[EventType | Slot | BusyTime | Schedule]) -> bytes:
    """Return the values as they are stored."""
    return _encode(values)


def event_types(part: CachedPart) -> tuple[EventType, ...]:
    """Return the event types that a part holds."""
    return _event_types.decode(part.content)


def slots(part: CachedPart) -> tuple[Slot, ...]:
    """Return the slots that a part holds."""
    return _slots.decode(part.content)


def state_of(part: CachedPart | None, now: datetime, policy: CachePolicy) -> Freshness:
    """Judge a part; one that no fetch ever brought is missing."""
    if part is None or not part.content:
        return Freshness.MISSING
    return freshness(part.fetched_at, part.invalidated_at, now, policy)


def age_of(part: CachedPart, now: datetime, policy: CachePolicy) -> CacheAge:
    """Say how old a part is."""
    age = max(now - part.fetched_at, timedelta())
    state = state_of(part, now, policy)
    return CacheAge(
        fetched_at=part.fetched_at,
        age_seconds=int(age.total_seconds()),
        freshness=state,
        expires_at=part.fetched_at + policy.ttl,
        invalidated_by=part.invalidated_by if state is Freshness.INVALIDATED else None,
        error_code=part.error_code,
    )
