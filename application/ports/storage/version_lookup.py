"""The version of a user's cached availability, which shows whether a kept response still holds.

The lookup is so small that every read can afford it.
"""

from typing import Protocol

from domain.ids import IntegrationId


class VersionLookup(Protocol):
    """Reads the current version of an integration's availability for a caller."""

    async def current(self, key_hash: bytes, integration_id: IntegrationId) -> int | None:
        """Return the version, which grows with every change of a possible response.

        It was read from the store after the call began; it is never the result of an earlier read.

        Args:
            key_hash: the caller's API key (SHA-256, 32 bytes).
            integration_id: the user's integration.

        Returns:
            None in three cases: the key is unknown or revoked. The integration is gone or not
            active. A webhook of its user is not applied yet.

        Raises:
            StorageUnavailable: the store did not answer.

        """
        ...
