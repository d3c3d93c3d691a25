"""API keys in memory."""

from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from application.ports.storage.api_keys import ApiKey
from tests.fakes.state import KeyRow, State


class FakeApiKeys:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        self._state.api_keys[key.id] = KeyRow(key=key, key_hash=key_hash)

    def is_live(self, key_hash: bytes) -> bool:
        """Whether a key with this hash works; for the fake caller lookup."""
        rows = self._state.api_keys.values()
        return any(row.key_hash == key_hash and row.key.revoked_at is None for row in rows)

    async def all(self) -> list[ApiKey]:
        return sorted(
            (row.key for row in self._state.api_keys.values()), key=lambda key: key.created_at
        )

    async def revoke(self, key_id: UUID, now: datetime) -> bool:
        row = self._state.api_keys.get(key_id)
        if row is None or row.key.revoked_at is not None:
            return False
        revoked = replace(row.key, revoked_at=now)
        self._state.api_keys[key_id] = replace(row, key=revoked)
        return True
