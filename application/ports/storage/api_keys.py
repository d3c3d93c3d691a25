"""API keys of the team's own programs: only their hashes are stored."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it may be listed: never the key itself.

    Args:
        prefix: its first characters, to recognise it by.
        revoked_at: when it stopped working (UTC), or None.

    """

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """The keys that callers present."""

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        """Store a new key's hash (SHA-256 of the key, 32 bytes)."""
        ...

    async def all(self) -> list[ApiKey]:
        """Return every key, revoked ones included, oldest first."""
        ...

    async def revoke(self, key_id: UUID, now: datetime) -> bool:
        """Make a key stop working; False when there is none with this id, or it is revoked."""
        ...
