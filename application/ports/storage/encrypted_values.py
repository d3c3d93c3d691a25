"""Every sealed value that is stored, wherever, for changing the key that seals them.

The rule not to break: a column that holds sealed values is among `columns`, or a key that is
taken away takes its values along.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.redacted_repr import RedactedRepr


class SealedValue(RedactedRepr, msgspec.Struct, frozen=True):
    """One sealed value as it is stored.

    Args:
        row: the position of its row; grows, and never leaves the service.
        owner: the public id to name the row by: its own, or its user's where it has none.
        bound_to: the identity that it was sealed for.
        sealed: the sealed text.

    """

    shown = ("row", "owner")
    row: int
    owner: UUID
    bound_to: str
    sealed: str


class SealedPage(msgspec.Struct, frozen=True):
    """Some values of a column; `after` is where to go on, None at the end."""

    values: tuple[SealedValue, ...]
    after: int | None


class KeyCounts(msgspec.Struct, frozen=True):
    """How many values of a range each key sealed, by its id; an empty id: not a sealed value."""

    by_key: Mapping[str, int]
    after: int | None


class SealedValues(Protocol):
    """Reads and replaces sealed values, a short range of one column at a time."""

    @property
    def columns(self) -> Sequence[str]:
        """Every column that holds sealed values, as `table.column`."""
        ...

    async def page(
        self, column: str, after: int, limit: int, *, but_under: str | None
    ) -> SealedPage:
        """Return up to `limit` values beyond a position, by ascending row; locks nothing.

        Args:
            column: one of `columns`.
            after: 0, or what the page before said.
            limit: how many at most; a page may hold fewer, even none, with more to come.
            but_under: leave out what the key with this id sealed; None leaves out nothing.

        """
        ...

    async def count(self, column: str, after: int) -> KeyCounts:
        """Return how many values of the next range each key sealed."""
        ...

    async def replace(
        self, column: str, resealed: Sequence[tuple[SealedValue, str]], now: datetime
    ) -> int:
        """Store new sealed texts in the place of those that were read; return how many.

        A value that changed since is left alone. So is a row that is locked or leased: the lease's
        holder writes back the value it read. Never waits for a lock.

        Args:
            column: one of `columns`.
            resealed: what was read, and what to put in its place.
            now: decides which leases are over (UTC).

        """
        ...
