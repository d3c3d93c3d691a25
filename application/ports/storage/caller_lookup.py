"""Who calls: looks at the API keys and the team's users, each by itself.

The rule not to break: a look is never taken within a unit of work, of which it is no part.
"""

from typing import NamedTuple, Protocol

from domain.ids import UserId


class Caller(NamedTuple):
    """A program with a live key; the user that it names, None for one who was never named."""

    user_id: UserId | None


class CallerLookup(Protocol):
    """Who may call, and whom for."""

    async def find(self, key_hash: bytes, external_id: str | None) -> Caller | None:
        """Look a key and a user up, as of one moment and in one round trip.

        Args:
            key_hash: of the API key (SHA-256, 32 bytes).
            external_id: the team's own id of the user; None when nobody is named.

        Returns:
            None when the key is unknown or revoked.

        Raises:
            StorageUnavailable: the store did not say.

        """
        ...
