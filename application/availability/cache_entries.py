"""What the availability cache holds, as bytes and back: JSON of the domain's own values.

An answer made of several parts is as old as its oldest, and stands no better than its worst.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from domain.availability import BusyTime, EventType, Schedule, Slot
from domain.cache_policy import CachePolicy, Freshness
from domain.ids import IntegrationId
from domain.sync_plan import freshness_of

_encode = msgspec.json.Encoder().encode
_DECODERS: dict[CacheKind, msgspec.json.Decoder[Any]] = {
    CacheKind.EVENT_TYPES: msgspec.json.Decoder(tuple[EventType, ...]),
    CacheKind.SLOTS: msgspec.json.Decoder(tuple[Slot, ...]),
    CacheKind.BUSY: msgspec.json.Decoder(tuple[BusyTime, ...]),
    CacheKind.SCHEDULES: msgspec.json.Decoder(tuple[Schedule, ...]),
}
# Whether a part can be read is asked before what it says: so both cost one decoding.
_LATELY_DECODED = 16

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
    reads: tuple[CacheKey, ...]
    valid_until: datetime


def encode(values: Values) -> bytes:
    """Return the values as they are stored."""
    return _encode(values)


def event_types(part: CacheEntry) -> tuple[EventType, ...]:
    """Return the event types that a part holds."""
    found: tuple[EventType, ...] = _decode(CacheKind.EVENT_TYPES, part.content)
    return found


def slots(part: CacheEntry) -> tuple[Slot, ...]:
    """Return the slots that a part holds."""
    found: tuple[Slot, ...] = _decode(CacheKind.SLOTS, part.content)
    return found


def busy_times(part: CacheEntry) -> tuple[BusyTime, ...]:
    """Return the busy times that a part holds."""
    found: tuple[BusyTime, ...] = _decode(CacheKind.BUSY, part.content)
    return found


def schedules(part: CacheEntry) -> tuple[Schedule, ...]:
    """Return the schedules that a part holds."""
    found: tuple[Schedule, ...] = _decode(CacheKind.SCHEDULES, part.content)
    return found


def is_readable(part: CacheEntry) -> bool:
    """Whether what a part holds, if anything, is as this version of the program stores it."""
    try:
        return not part.content or _decode(part.part, part.content) is not None
    except msgspec.DecodeError:
        return False


@lru_cache(maxsize=_LATELY_DECODED)
def _decode(part: CacheKind, content: bytes) -> Any:
    return _DECODERS[part].decode(content)


def worst(versions: Sequence[Freshness]) -> Freshness:
    """Return what may be said of several parts together; at least one is given."""
    return max(versions, key=_RANK.__getitem__)


def age_of(parts: Sequence[CacheEntry], now: datetime, policy: CachePolicy) -> CacheAge:
    """Say how old the parts of an answer are; at least one is given."""
    states = [freshness_of(part, now, policy) for part in parts]
    deadlines = [policy.deadlines(part.fetched_at, part.seed, part.aging) for part in parts]
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
