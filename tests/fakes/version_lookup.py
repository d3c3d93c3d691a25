"""Standings in memory."""

from domain.errors import StorageUnavailable
from domain.ids import IntegrationId
from domain.integration import Status
from tests.fakes.storage import FakeStorage


class FakeVersionLookup:
    """Implements the Standings port on what a fake store has committed."""

    def __init__(self, storage: FakeStorage) -> None:
        self._storage = storage

    async def current(self, key_hash: bytes, integration_id: IntegrationId) -> int | None:
        """Look."""
        if self._storage.away:
            raise StorageUnavailable("The fake store is down.")
        state = self._storage.state
        live = {row.key_hash for row in state.api_keys.values() if row.key.revoked_at is None}
        row = state.integrations.get(integration_id)
        if key_hash not in live or row is None or row.value.status is not Status.ACTIVE:
            return None
        return None if state.pending_of(row.value.user_id) else row.version
