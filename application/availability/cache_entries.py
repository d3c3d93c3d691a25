"""The content of cache entries, as bytes and back, and the age of a response.

The content is JSON of the domain's own values. A response built from several entries has the age
of the oldest and the freshness of the worst.
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
# `is_readable` decodes an entry before its values are used: the cache makes that one decoding.
_RECENTLY_DECODED = 16

Values = Sequence[EventType | Slot | BusyTime | Schedule]

_FROM_BEST_TO_WORST = (
    Freshness.FRESH,
    Freshness.STALE,
    Freshness.INVALIDATED,
    Freshness.EXPIRED,
    Freshness.MISSING,
)


class CacheAge(msgspec.Struct, frozen=True):
    """The age and freshness of a response from the cache.

    Args:
        fetched_at: when the oldest of its entries was fetched from Calendly (UTC).
        freshness: the worst of its entries.
        stale_at: until when it is fresh, if nothing changes (UTC).
        expires_at: until when it is served immediately (UTC).
        invalidated_by: the change that invalidated it, if any.
        error_code: why the latest refresh failed, if it did.
        skipped: how many records of Calendly's could not be read and are left out.

    """

    fetched_at: datetime
    freshness: Freshness
    stale_at: datetime
    expires_at: datetime
    invalidated_by: str | None = None
    error_code: str | None = None
    skipped: int = 0


class Origin(msgspec.Struct, frozen=True):
    """The entries behind a response, for a cache of responses.

    Args:
        reads: the keys of all entries that were used.
        valid_until: when the passing of time alone makes another response (UTC); not after now
            for a response that is not fresh.

    """

    integration_id: IntegrationId
    reads: tuple[CacheKey, ...]
    valid_until: datetime


def encode(values: Values) -> bytes:
    """Return the values as they are stored."""
    return _encode(values)


def event_types(entry: CacheEntry) -> tuple[EventType, ...]:
    values: tuple[EventType, ...] = _decode(CacheKind.EVENT_TYPES, entry.content)
    return values


def slots(entry: CacheEntry) -> tuple[Slot, ...]:
    values: tuple[Slot, ...] = _decode(CacheKind.SLOTS, entry.content)
    return values


def busy_times(entry: CacheEntry) -> tuple[BusyTime, ...]:
    values: tuple[BusyTime, ...] = _decode(CacheKind.BUSY, entry.content)
    return values


def schedules(entry: CacheEntry) -> tuple[Schedule, ...]:
    values: tuple[Schedule, ...] = _decode(CacheKind.SCHEDULES, entry.content)
    return values


def is_readable(entry: CacheEntry) -> bool:
    """Whether the content, if any, has the format of this version of the program."""
    try:
        return not entry.content or _decode(entry.kind, entry.content) is not None
    except msgspec.DecodeError:
        return False


@lru_cache(maxsize=_RECENTLY_DECODED)
def _decode(kind: CacheKind, content: bytes) -> Any:
    return _DECODERS[kind].decode(content)


def age_of(entries: Sequence[CacheEntry], now: datetime, policy: CachePolicy) -> CacheAge:
    """Return the age of a response that is built from these entries.

    Args:
        entries: the entries, one or more.
        now: the time (UTC).
        policy: the deadlines of entries.

    """
    states = [freshness_of(entry, now, policy) for entry in entries]
    deadlines = [
        policy.deadlines(each.fetched_at, each.seed, each.aging, each.settles_at)
        for each in entries
    ]
    changes = (
        entry.invalidated_by
        for entry, state in zip(entries, states, strict=True)
        if state is Freshness.INVALIDATED
    )
    return CacheAge(
        fetched_at=min(entry.fetched_at for entry in entries),
        freshness=max(states, key=_FROM_BEST_TO_WORST.index),
        stale_at=min(each.stale_at for each in deadlines),
        expires_at=min(each.expires_at for each in deadlines),
        invalidated_by=next(changes, None),
        error_code=next((entry.error_code for entry in entries if entry.error_code), None),
        skipped=sum(entry.skipped for entry in entries),
    )
