"""API keys in memory."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from application.ports.storage.api_keys import ApiKey
from tests.fakes.state import KeyRow, State


class FakeApiKeys:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        self._state.api_keys[key.id] = KeyRow(key=key, key_hash=key_hash)

    def live(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, if it works; for the fake caller lookup."""
        now = datetime.now(UTC)
        for row in self._state.api_keys.values():
            expired = row.key.expires_at is not None and row.key.expires_at <= now
            if row.key_hash == key_hash and row.key.revoked_at is None and not expired:
                return row.key
        return None

    async def mark_used(self, used: Mapping[UUID, datetime]) -> None:
        for key_id, at in used.items():
            row = self._state.api_keys.get(key_id)
            if row is not None and (row.key.last_used_at is None or row.key.last_used_at < at):
                changed = replace(row.key, last_used_at=at)
                self._state.api_keys[key_id] = replace(row, key=changed)

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
