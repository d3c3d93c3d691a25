"""What a reader of the cache found, and what may be said of it."""

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


class FirstKeys(NamedTuple):
    """What to look up first.

    Args:
        keys: the parts that may be needed.
        occupied_in: the span whose booked times are wanted too, if any.

    """

    keys: tuple[CacheKey, ...]
    occupied_in: Window | None = None


class RequiredKeys(NamedTuple):
    """What has to be there for an answer.

    Args:
        parts: what the answer is made of, in the order in which it is.
        consulted: what is only looked into on the way; its age is not the answer's.

    """

    parts: tuple[CacheKey, ...]
    consulted: tuple[CacheKey, ...] = ()

    @property
    def keys(self) -> tuple[CacheKey, ...]:
        """All of them."""
        return (*self.consulted, *self.parts)


class CacheQuery(Protocol):
    """Pure: the same parts always need the same."""

    def lookup(self, now: datetime) -> FirstKeys:
        """Return what to look up first."""
        ...

    def needs(self, parts: Mapping[CacheKey, CacheEntry], now: datetime) -> RequiredKeys:
        """Return what is needed, as far as these parts tell; looked up as well where it is new.

        Raises:
            SlotkeeperError: there is no answer.

        """
        ...


class CacheResult(msgspec.Struct, frozen=True):
    """One look at the store, and which of it is needed.

    Args:
        snapshot: all that was looked up.
        needs: what of it is needed.
        now: when it was looked up (UTC).
        policy: the ages of parts.

    """

    snapshot: CacheSnapshot
    needs: RequiredKeys
    now: datetime
    policy: CachePolicy

    def freshness_of(self, at: CacheKey) -> Freshness:
        """Judge a part."""
        return freshness_of(self.snapshot.parts.get(at), self.now, self.policy)

    @property
    def parts(self) -> list[CacheEntry]:
        """The parts that the answer is made of, up to the first that is not known."""
        found = (self.snapshot.parts.get(at) for at in self.needs.parts)
        return [part for part in takewhile(_is_known, found) if part is not None]

    @property
    def known(self) -> list[CacheEntry]:
        """All needed parts that are known."""
        found = (self.snapshot.parts.get(at) for at in self.needs.keys)
        return [part for part in found if part is not None and part.known]

    @property
    def version(self) -> int:
        """The version of all that may be said of the user's availability."""
        return self.snapshot.version

    @property
    def age(self) -> CacheAge:
        """How old the answer is; parts that should have been in it tell why they are not."""
        age = age_of(self.parts, self.now, self.policy)
        needed = (self.snapshot.parts.get(at) for at in self.needs.parts)
        errors = (part.error_code for part in needed if part is not None and part.error_code)
        return msgspec.structs.replace(age, error_code=next(errors, None))

    def origin(self, until: datetime | None = None) -> Origin:
        """Return what the answer was made from; it is valid until then (UTC) at the longest."""
        ends = [
            self.policy.deadlines(part.fetched_at, part.seed, part.aging).stale_at
            if self.freshness_of(part.at) is Freshness.FRESH
            else self.now
            for part in self.known
        ]
        is_whole = len(ends) == len(self.needs.keys)
        if until is not None:
            ends.append(until)
        return Origin(
            integration_id=self.snapshot.integration.id,
            reads=self.needs.keys,
            valid_until=min(ends, default=self.now) if is_whole else self.now,
        )


def _is_known(part: CacheEntry | None) -> bool:
    return part is not None and part.known
