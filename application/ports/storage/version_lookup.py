"""Whether an answer that was put together before may be given once more.

A look at the store that is so small that it can be taken for every read.
"""

from typing import Protocol

from domain.ids import IntegrationId


class VersionLookup(Protocol):
    """Where callers and their users' availability stand."""

    async def current(self, key_hash: bytes, integration_id: IntegrationId) -> int | None:
        """Return the version of all that may be said of an integration's availability.

        It is what stood in the store after the call began, never what an earlier look found.

        Args:
            key_hash: of the API key that asks (SHA-256, 32 bytes).
            integration_id: of the user it asks for.

        Returns:
            None when the key is unknown or revoked, the integration is gone or not active, or a
            webhook of its user waits to be applied.

        Raises:
            StorageUnavailable: the store did not say.

        """
        ...
