"""What a reader of the cache wants to know: which parts to look up, and which of them he needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from application.ports.storage.availability_cache import CacheEntry, CacheKey
from domain.availability import Window


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
