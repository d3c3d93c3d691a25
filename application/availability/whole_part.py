"""Reading one part that has no windows."""

from collections.abc import Mapping
from datetime import datetime

from application.availability.question import Lookup, Needs
from application.ports.storage.availability_cache import CachedPart, PartKey


class WholePart:
    """Implements Question."""

    def __init__(self, at: PartKey) -> None:
        self._keys = (at,)

    def lookup(self, now: datetime) -> Lookup:  # noqa: ARG002 - a part without time
        """Return the part."""
        return Lookup(self._keys)

    def needs(self, parts: Mapping[PartKey, CachedPart], now: datetime) -> Needs:  # noqa: ARG002
        """Return the part."""
        return Needs(self._keys)
