"""API keys of the team's own programs: only their hashes are stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.api_key import KeyScope


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it may be listed: never the key itself.

    Args:
        prefix: its first characters, to recognise it by.
        revoked_at: when it stopped working (UTC), or None.
        scopes: its rights; None for a key that was made before keys had scopes: all.
        expires_at: when it stops working (UTC), or None.
        networks: from which alone it works; none: from everywhere.
        created_by: who made it, or None where that is not known.
        last_used_at: when it was last used (UTC), up to a minute late, or None.

    """

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None
    scopes: frozenset[KeyScope] | None = None
    expires_at: datetime | None = None
    networks: tuple[str, ...] = ()
    created_by: str | None = None
    last_used_at: datetime | None = None


class ApiKeys(Protocol):
    """The keys that callers present."""

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        """Store a new key's hash (SHA-256 of the key, 32 bytes)."""
        ...

    async def all(self) -> list[ApiKey]:
        """Return every key, revoked ones included, oldest first."""
        ...

    async def mark_used(self, used: Mapping[UUID, datetime]) -> None:
        """Note when keys were last used (UTC); an earlier time than the known one is ignored."""
        ...

    async def revoke(self, key_id: UUID, now: datetime) -> bool:
        """Make a key stop working; False when there is none with this id, or it is revoked."""
        ...
