"""The record of erased users, and the end of their rows.

The rule not to break: the team's id of an erased user is never stored. Only a hash under a key of
our own is kept, so that a restored backup can be compared with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.ids import UserId
from domain.secret import Secret


class UserErasure(msgspec.Struct, frozen=True):
    """One request to erase a user, without who it was.

    Args:
        erased_at: when it was asked for (UTC).
        requested_by: who carried the request here: `cli`, or the API key's beginning.

    """

    id: UUID
    erased_at: datetime
    requested_by: str


class UserErasures(Protocol):
    """Erasures of users by the hash of the team's id."""

    async def begin(
        self, erasure: UserErasure, external_id: str, new_key: Secret
    ) -> UserId | None:
        """Record the erasure, and take the team's id and the connect flows from the user.

        From the commit on no call finds the user, and no callback connects an account for them. If
        the team names the same id again, that is a new user.

        Args:
            erasure: the record.
            external_id: the team's own id of the user.
            new_key: the key of all hashes from now on, should this be the first erasure.

        Returns:
            The user whose integrations and row are to be deleted; None when there is none.

        Raises:
            SealedValueUnreadable: there is a key, and it cannot be opened.

        """
        ...

    async def finish(self, user_id: UserId) -> bool:
        """Delete a user that is being erased, with all that belongs to them.

        False, and nothing happens: they have an integration yet, or are not being erased.
        """
        ...

    async def unfinished(self, after: UserId | None, limit: int) -> Sequence[UserId]:
        """Return up to `limit` users that are being erased, behind a position."""
        ...
