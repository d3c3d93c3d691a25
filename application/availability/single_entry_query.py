"""Reading one part that has no windows."""

from collections.abc import Mapping
from datetime import datetime

from application.availability.question import FirstKeys, RequiredKeys
from application.ports.storage.availability_cache import CacheEntry, CacheKey


class SingleEntryQuery:
    """Implements Question."""

    def __init__(self, at: CacheKey) -> None:
        self._keys = (at,)

    def lookup(self, now: datetime) -> FirstKeys:  # noqa: ARG002 - a part without time
        """Return the part."""
        return FirstKeys(self._keys)

    def needs(self, parts: Mapping[CacheKey, CacheEntry], now: datetime) -> RequiredKeys:  # noqa: ARG002
        """Return the part."""
        return RequiredKeys(self._keys)
