"""API keys in api_key: their hashes, never the keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.persistence.tables.core import ApiKey as KeyTable
from application.ports.storage.api_keys import ApiKey

_COLUMNS = (
    KeyTable.public_id,
    KeyTable.name,
    KeyTable.prefix,
    KeyTable.created_at,
    KeyTable.revoked_at,
)


class PiccoloApiKeys:
    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        row = KeyTable(
            public_id=key.id,
            name=key.name,
            prefix=key.prefix,
            key_hash=key_hash,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )
        await KeyTable.insert(row)

    async def all(self) -> list[ApiKey]:
        rows = await KeyTable.select(*_COLUMNS).order_by(KeyTable.created_at, KeyTable.id)
        return [_to_key(row) for row in rows]

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
    )
