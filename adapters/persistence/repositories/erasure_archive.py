"""All records of erasures, read for an export and brought back after a restore."""

import hmac
from collections.abc import Sequence
from uuid import UUID

from adapters.persistence.repositories.erasure_keys import ErasureKeys
from adapters.persistence.repositories.user_erasures import PiccoloUserErasures, hash_of_user
from adapters.persistence.session import Session
from application.ports.storage.erasure_archive import (
    ErasureRecord,
    RestoredPage,
    SealedErasureKey,
)
from domain.ids import UserId

_INVITEES = """
SELECT public_id, email_hash AS hash, erased_at, requested_by
FROM calendly_invitee_erasure ORDER BY id
"""
_USERS = """
SELECT public_id, user_hash AS hash, erased_at, requested_by FROM calendly_user_erasure ORDER BY id
"""
_KNOWN_INVITEES = """
SELECT public_id FROM calendly_invitee_erasure WHERE public_id = ANY ($1::uuid[])
"""
_ADD_INVITEE = """
INSERT INTO calendly_invitee_erasure
    (public_id, email_hash, erased_at, requested_by, bookings, webhook_events, unreadable)
VALUES ($1, $2, $3, $4, $5, $5, $5) ON CONFLICT (public_id) DO NOTHING
"""
_ADD_USERS = """
INSERT INTO calendly_user_erasure (public_id, user_hash, erased_at, requested_by)
SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::timestamptz[], $4::text[])
ON CONFLICT (public_id) DO NOTHING RETURNING id
"""
_PAGE_OF_USERS = """
SELECT id, external_id, created_at FROM app_user WHERE id > $1 ORDER BY id LIMIT $2
"""
_ERASED_USERS = """
SELECT DISTINCT ON (user_hash) user_hash, public_id, erased_at FROM calendly_user_erasure
WHERE user_hash = ANY ($1::bytea[]) ORDER BY user_hash, erased_at DESC
"""


class PiccoloErasureArchive:
    def __init__(
        self, session: Session, keys: ErasureKeys, user_erasures: PiccoloUserErasures
    ) -> None:
        self._session = session
        self._keys = keys
        self._user_erasures = user_erasures

    async def keys(self) -> Sequence[SealedErasureKey]:
        return await self._keys.sealed()

    async def add_keys(self, keys: Sequence[SealedErasureKey]) -> None:
        for each in keys:
            await self._keys.add(each)

    async def invitees(self) -> Sequence[ErasureRecord]:
        return await self._records(_INVITEES)

    async def users(self) -> Sequence[ErasureRecord]:
        return await self._records(_USERS)

    async def add_invitees(self, records: Sequence[ErasureRecord]) -> UUID | None:
        rows = await self._session.rows(_KNOWN_INVITEES, [each.id for each in records])
        known = {row["public_id"] for row in rows}
        new = [each for each in records if each.id not in known]
        if not new:
            return None
        unfinished = new[-1].id
        await self._session.run_each(
            _ADD_INVITEE,
            [(*_values(each), None if each.id == unfinished else 0) for each in new],
        )
        return unfinished

    async def add_users(self, records: Sequence[ErasureRecord]) -> int:
        columns = list(zip(*map(_values, records), strict=True)) or [(), (), (), ()]
        return len(await self._session.rows(_ADD_USERS, *columns))

    async def restored_users(self, after: int, limit: int) -> RestoredPage:
        rows = await self._session.rows(_PAGE_OF_USERS, after, limit)
        keys = await self._keys.current()
        by_hash = {hash_of_user(key, row["external_id"]): row for row in rows for key in keys}
        found = await self._session.rows(_ERASED_USERS, list(by_hash))
        users: list[UserId] = []
        for erased in found:
            user = by_hash[erased["user_hash"]]
            if user["created_at"] <= erased["erased_at"]:
                users.extend(
                    await self._user_erasures.resume(erased["public_id"], user["external_id"])
                )
        return RestoredPage(users, after=rows[-1]["id"] if len(rows) == limit else None)

    async def mac(self, key: SealedErasureKey, content: bytes) -> bytes:
        opened = self._keys.open(key).reveal().encode()
        return hmac.digest(opened, b"export\0" + content, "sha256")

    async def _records(self, statement: str) -> Sequence[ErasureRecord]:
        rows = await self._session.rows(statement)
        return [
            ErasureRecord(row["public_id"], row["hash"], row["erased_at"], row["requested_by"])
            for row in rows
        ]


def _values(record: ErasureRecord) -> tuple[object, ...]:
    return record.id, record.hash, record.erased_at, record.requested_by
