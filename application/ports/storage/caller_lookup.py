"""Lookups of API keys and of the team's users, each in its own statement.

The rule not to break: a lookup is never part of a unit of work.
"""

from typing import NamedTuple, Protocol
from uuid import UUID

from domain.api_key import KeyScope
from domain.ids import UserId


class Caller(NamedTuple):
    """A program with a live key, and the user that it names.

    Args:
        user_id: None for a user who never connected an account.
        key_id: the public id of the key.
        scopes: its rights; None for a key that was made before keys had scopes: all.
        networks: from which alone it works; none: from everywhere.

    """

    user_id: UserId | None
    key_id: UUID
    scopes: frozenset[KeyScope] | None = None
    networks: tuple[str, ...] = ()


class CallerLookup(Protocol):
    """Looks up API keys and the users that they call for."""

    async def find(self, key_hash: bytes, external_id: str | None) -> Caller | None:
        """Look a key and a user up, as of one moment and in one round trip.

        Args:
            key_hash: of the API key (SHA-256, 32 bytes).
            external_id: the team's own id of the user; None if the call names no user.

        Returns:
            None when the key is unknown, expired or revoked.

        Raises:
            StorageUnavailable: the store did not say.

        """
        ...
