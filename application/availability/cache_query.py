"""The queries that read the cache, and their results."""

from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple, Protocol

import msgspec

from application.availability.cache_entries import CacheAge, Origin, age_of
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheSnapshot
from domain.availability import Window
from domain.cache_policy import CachePolicy, Freshness
from domain.sync_plan import freshness_of

Entries = Mapping[CacheKey, CacheEntry]


class FirstKeys(NamedTuple):
    """The first lookup of a query.

    Args:
        keys: the keys of the entries that may be required.
        occupied_in: the span whose booked times are wanted too, if any.

    """

    keys: tuple[CacheKey, ...]
    occupied_in: Window | None = None


class RequiredKeys(NamedTuple):
    """The entries that a response requires.

    Args:
        sources: the keys of the entries that the response is built from, in its order.
        consulted: the keys of entries that lead to the sources; their age does not count.

    """

    sources: tuple[CacheKey, ...]
    consulted: tuple[CacheKey, ...] = ()

    @property
    def keys(self) -> tuple[CacheKey, ...]:
        return (*self.consulted, *self.sources)


class CacheQuery(Protocol):
    """Names the entries that a response requires. Pure: same arguments, same result."""

    def first_keys(self, now: datetime) -> FirstKeys:
        """Return the first lookup at this time (UTC)."""
        ...

    def required_keys(self, entries: Entries, now: datetime) -> RequiredKeys:
        """Return the required keys, as far as these entries determine them.

        Raises:
            SlotkeeperError: there is no response.

        """
        ...


class CacheResult(msgspec.Struct, frozen=True):
    """A snapshot of the store, and the entries in it that a response requires.

    Args:
        snapshot: all that was looked up.
        required: the required keys.
        now: when it was looked up (UTC).
        policy: the deadlines of entries.

    """

    snapshot: CacheSnapshot
    required: RequiredKeys
    now: datetime
    policy: CachePolicy

    def entry(self, key: CacheKey) -> CacheEntry | None:
        return self.snapshot.entries.get(key)

    def freshness_of(self, key: CacheKey) -> Freshness:
        return freshness_of(self.snapshot.entries.get(key), self.now, self.policy)

    @property
    def sources(self) -> list[CacheEntry]:
        """The entries that the response is built from, up to the first without content."""
        entries = map(self.snapshot.entries.get, self.required.sources)
        return [each for each in takewhile(_has_content, entries) if each is not None]

    @property
    def usable(self) -> list[CacheEntry]:
        """All required entries that have content."""
        entries = map(self.snapshot.entries.get, self.required.keys)
        return [each for each in entries if each is not None and each.has_content]

    @property
    def version(self) -> int:
        """The version of the user's availability."""
        return self.snapshot.version

    @property
    def age(self) -> CacheAge:
        """The response's age; its error code may be that of a source that has no content."""
        age = age_of(self.sources, self.now, self.policy)
        entries = map(self.snapshot.entries.get, self.required.sources)
        errors = (each.error_code for each in entries if each is not None and each.error_code)
        return msgspec.structs.replace(age, error_code=next(errors, None))

    def origin(self, until: datetime | None = None) -> Origin:
        """Return the response's origin; it is valid until this time (UTC) or shorter."""
        ends = [
            self.policy.deadlines(each.fetched_at, each.seed, each.aging, each.settles_at).stale_at
            if self.freshness_of(each.cache_key) is Freshness.FRESH
            else self.now
            for each in self.usable
        ]
        is_complete = len(ends) == len(self.required.keys)
        if until is not None:
            ends.append(until)
        return Origin(
            integration_id=self.snapshot.integration.id,
            reads=self.required.keys,
            valid_until=min(ends, default=self.now) if is_complete else self.now,
        )


def _has_content(entry: CacheEntry | None) -> bool:
    return entry is not None and entry.has_content
