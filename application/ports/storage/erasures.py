"""The record of erased invitees: that they are to stay erased.

The rule not to break: an address is never stored. Only a hash under a key of our own is kept, so
that a copy of the table alone does not allow trying addresses.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.secret import Secret


class Erasure(msgspec.Struct, frozen=True):
    """One request to erase an invitee, without who it was.

    Args:
        requested_by: who carried the request here: `cli`, or the API key's beginning.
        bookings: bookings that were made anonymous; None while it is under way.
        webhook_events: stored webhooks that were rewritten; None while it is under way.
        unreadable: stored webhooks that did not open, because their key is missing.

    """

    id: UUID
    erased_at: datetime
    requested_by: str
    bookings: int | None = None
    webhook_events: int | None = None
    unreadable: int | None = None


class Erasures(Protocol):
    """Erasures by the hash of the invitee's address."""

    async def begin(self, erasure: Erasure, email: str, new_key: Secret) -> None:
        """Record the erasure with the address's hash: from its commit on `known` tells of it.

        Args:
            erasure: without its counts.
            email: normalised.
            new_key: the key of all hashes from now on, should this be the first erasure.

        Raises:
            SealedValueUnreadable: there is a key, and it cannot be opened.

        """
        ...

    async def finish(self, erasure: Erasure) -> None:
        """Record what it came to; with it end earlier ones of the same person, at zero.

        Args:
            erasure: with its counts.

        """
        ...

    async def unfinished(self, begun_before: datetime) -> Erasure | None:
        """Return the oldest one without counts that was begun before a moment (UTC), or None."""
        ...

    async def find(self, erasure_id: UUID) -> Erasure | None:
        """Return one, or None."""
        ...

    async def known(self, emails: Collection[str]) -> Mapping[str, datetime]:
        """Return those of the normalised addresses that were erased, and when last (UTC).

        Raises:
            SealedValueUnreadable: the key of the hashes cannot be opened, so none can be matched.

        """
        ...

    async def moment(self) -> datetime:
        """Return the store's own time, for `is_quiet_since`."""
        ...

    async def is_quiet_since(self, moment: datetime) -> bool:
        """Whether every other transaction that began before a moment of the store has ended.

        Those that began later see what was committed before it.
        """
        ...
