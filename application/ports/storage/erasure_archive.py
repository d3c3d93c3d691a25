"""The records of all erasures, to be kept apart from the database and brought back after a restore.

A backup that is older than an erasure has the person, but not the record of the erasure. The records
are hashes; their keys leave the store only sealed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.ids import UserId


class SealedErasureKey(msgspec.Struct, frozen=True):
    """A key of the hashes, sealed by the key ring."""

    id: UUID
    sealed: str


class ErasureRecord(msgspec.Struct, frozen=True):
    """The record of one erasure.

    Args:
        hash: HMAC-SHA256 of the invitee's address or of the user's id (32 bytes).
        erased_at: when it was asked for (UTC).
        requested_by: who carried the request here.

    """

    id: UUID
    hash: bytes
    erased_at: datetime
    requested_by: str


class RestoredPage(msgspec.Struct, frozen=True):
    """The result of a page of users.

    Args:
        users: those that an erasure covers; they are being erased now.
        after: where the next page begins; None at the end.

    """

    users: Sequence[UserId]
    after: int | None


class ErasureArchive(Protocol):
    """Reads and brings back the records of erasures."""

    async def keys(self) -> Sequence[SealedErasureKey]:
        """Return the keys of the hashes, the one of new hashes first."""
        ...

    async def add_keys(self, keys: Sequence[SealedErasureKey]) -> None:
        """Add the keys that are missing, sealed again under the present key of the ring.

        The first one becomes the key of new hashes if there was none.

        Raises:
            SealedValueUnreadable: one of them was sealed by a key that the ring does not have.

        """
        ...

    async def invitees(self) -> Sequence[ErasureRecord]:
        """Return the erasures of invitees, in their order."""
        ...

    async def users(self) -> Sequence[ErasureRecord]:
        """Return the erasures of users, in their order."""
        ...

    async def add_invitees(self, records: Sequence[ErasureRecord]) -> UUID | None:
        """Add the records that are missing.

        Returns:
            The last of those that were added, or None. It is unfinished: the daily job completes
            it, and with it all others, if this process does not.

        """
        ...

    async def add_users(self, records: Sequence[ErasureRecord]) -> int:
        """Add the records that are missing; return how many those are."""
        ...

    async def restored_users(self, after: int, limit: int) -> RestoredPage:
        """Look through a page of users for those that existed when they were erased.

        The team's id and the connect flows are taken from them, as `UserErasures.begin` does.

        Args:
            after: 0, or what the page before said.
            limit: users at most.

        """
        ...

    async def mac(self, key: SealedErasureKey, content: bytes) -> bytes:
        """Return the HMAC-SHA256 of an export's content under one of its keys.

        Raises:
            SealedValueUnreadable: the key does not open.

        """
        ...
