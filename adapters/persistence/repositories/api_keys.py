"""API keys in api_key: their hashes, never the keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.persistence.session import Session
from adapters.persistence.tables.core import ApiKey as KeyTable
from application.ports.storage.api_keys import ApiKey
from domain.api_key import KeyScope

_COLUMNS = (
    KeyTable.public_id,
    KeyTable.name,
    KeyTable.prefix,
    KeyTable.created_at,
    KeyTable.revoked_at,
    KeyTable.expires_at,
    KeyTable.last_used_at,
    KeyTable.created_by,
    KeyTable.scopes,
    KeyTable.networks,
)
# In the order of the ids, so that two processes never wait for each other.
_MARK_USED = """
UPDATE api_key SET last_used_at = u.at
FROM (
    SELECT k.id, n.at FROM unnest($1::uuid[], $2::timestamptz[]) AS n (key_id, at)
    JOIN api_key k ON k.public_id = n.key_id ORDER BY k.id FOR UPDATE OF k
) u
WHERE api_key.id = u.id AND (last_used_at IS NULL OR last_used_at < u.at)
"""


class PiccoloApiKeys:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        row = KeyTable(
            public_id=key.id,
            name=key.name,
            prefix=key.prefix,
            key_hash=key_hash,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
            expires_at=key.expires_at,
            created_by=key.created_by,
            scopes=None if key.scopes is None else ",".join(sorted(key.scopes)),
            networks=",".join(key.networks) or None,
        )
        await KeyTable.insert(row)

    async def all(self) -> list[ApiKey]:
        rows = await KeyTable.select(*_COLUMNS).order_by(KeyTable.created_at, KeyTable.id)
        return [_to_key(row) for row in rows]

    async def mark_used(self, used: Mapping[UUID, datetime]) -> None:
        await self._session.run(_MARK_USED, list(used), list(used.values()))

    async def revoke(self, key_id: UUID, now: datetime) -> bool:
        revoked = (
            await KeyTable.update({KeyTable.revoked_at: now})
            .where((KeyTable.public_id == key_id) & KeyTable.revoked_at.is_null())
            .returning(KeyTable.id)
        )
        return bool(revoked)


def _to_key(row: dict[str, Any]) -> ApiKey:
    return ApiKey(
        id=row["public_id"],
        name=row["name"],
        prefix=row["prefix"],
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        scopes=scopes_of(row["scopes"]),
        expires_at=row["expires_at"],
        networks=networks_of(row["networks"]),
        created_by=row["created_by"],
        last_used_at=row["last_used_at"],
    )


def scopes_of(stored: str | None) -> frozenset[KeyScope] | None:
    """Return the scopes of a stored key; None is a key that was made before keys had scopes.

    A scope that a later version stored, and this one does not know, gives no right here.
    """
    if stored is None:
        return None
    return frozenset(KeyScope(each) for each in stored.split(",") if each in set(KeyScope))


def networks_of(stored: str | None) -> tuple[str, ...]:
    return tuple(stored.split(",")) if stored else ()
