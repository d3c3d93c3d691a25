"""What the availability cache holds, as bytes and back: JSON of the domain's own values.

An answer made of several parts is as old as its oldest, and stands no better than its worst.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.ports.availability_cache import CachedPart, PartKey
from domain.availability import BusyTime, EventType, Schedule, Slot
from domain.cache_policy import CachePolicy, Freshness
from domain.ids import IntegrationId
from domain.sync_plan import standing

_encode = msgspec.json.Encoder().encode
_event_types = msgspec.json.Decoder(tuple[EventType, ...])
_slots = msgspec.json.Decoder(tuple[Slot, ...])
_busy_times = msgspec.json.Decoder(tuple[BusyTime, ...])
_schedules = msgspec.json.Decoder(tuple[Schedule, ...])

Values = Sequence[EventType | Slot | BusyTime | Schedule]

# From the best to the worst.
_RANK = {
    each: place
    for place, each in enumerate(
        (
            Freshness.FRESH,
            Freshness.STALE,
            Freshness.INVALIDATED,
            Freshness.EXPIRED,
            Freshness.MISSING,
        )
    )
}


class CacheAge(msgspec.Struct, frozen=True):
    """How old an answer is and what that means; every answer from the cache carries one.

    Args:
        fetched_at: when Calendly was asked for the oldest of what it says (UTC).
        freshness: the worst of its parts.
        stale_at: until when it is fresh, if nothing changes (UTC).
        expires_at: until when it is served at once (UTC).
        invalidated_by: which change overtook it, if one did.
        error_code: why the latest attempt to renew it failed, if it did.

    """

    fetched_at: datetime
    freshness: Freshness
    stale_at: datetime
    expires_at: datetime
    invalidated_by: str | None = None
    error_code: str | None = None


class Origin(msgspec.Struct, frozen=True):
    """What an answer was made from, for whoever keeps answers.

    Args:
        reads: every part that was consulted.
        valid_until: when the mere passing of time makes the answer another one (UTC); not after
            now for an answer that is not fresh.

    """

    integration_id: IntegrationId
    reads: tuple[PartKey, ...]
    valid_until: datetime


def encode(values: Values) -> bytes:
    """Return the values as they are stored."""
    return _encode(values)


def event_types(part: CachedPart) -> tuple[EventType, ...]:
    """Return the event types that a part holds."""
    return _event_types.decode(part.content)


def slots(part: CachedPart) -> tuple[Slot, ...]:
    """Return the slots that a part holds."""
    return _slots.decode(part.content)


def busy_times(part: CachedPart) -> tuple[BusyTime, ...]:
    """Return the busy times that a part holds."""
    return _busy_times.decode(part.content)


def schedules(part: CachedPart) -> tuple[Schedule, ...]:
    """Return the schedules that a part holds."""
    return _schedules.decode(part.content)


def worst(standings: Sequence[Freshness]) -> Freshness:
    """Return what may be said of several parts together; at least one is given."""
    return max(standings, key=_RANK.__getitem__)


def age_of(parts: Sequence[CachedPart], now: datetime, policy: CachePolicy) -> CacheAge:
    """Say how old the parts of an answer are; at least one is given."""
    states = [standing(part, now, policy) for part in parts]
    deadlines = [policy.deadlines(part.fetched_at, part.seed) for part in parts]
    overtaken = (
        part.invalidated_by
        for part, state in zip(parts, states, strict=True)
        if state is Freshness.INVALIDATED
    )
    return CacheAge(
        fetched_at=min(part.fetched_at for part in parts),
        freshness=worst(states),
        stale_at=min(each.stale_at for each in deadlines),
        expires_at=min(each.expires_at for each in deadlines),
        invalidated_by=next(overtaken, None),
        error_code=next((part.error_code for part in parts if part.error_code), None),
    )
