"""Erased users in calendly_user_erasure, by HMAC-SHA256 of the team's id (RFC 2104).

A user that is being erased is one whose row an erasure refers to. The reference ends with the row.
"""

import hmac
from collections.abc import Sequence
from uuid import UUID

from adapters.persistence.repositories.erasure_keys import ErasureKeys
from adapters.persistence.session import Session
from application.ports.storage.user_erasures import UserErasure
from domain.ids import UserId
from domain.secret import Secret

# The blank at its beginning: no header or path can name this id.
_DETACH = """
UPDATE app_user SET external_id = ' ' || $2::text WHERE external_id = $1 RETURNING id, public_id
"""
_BEGIN = """
INSERT INTO calendly_user_erasure (public_id, user_hash, erased_at, requested_by)
VALUES ($1, $2, $3, $4)
"""
_REFER = "UPDATE calendly_user_erasure SET user_id = $2 WHERE public_id = $1"
_FORGET_FLOWS = "DELETE FROM calendly_connect_attempt WHERE user_id = $1"
# The lock conflicts with that of each new row that refers to the user.
_LOCK = """
SELECT u.id FROM app_user u
WHERE u.public_id = $1 AND EXISTS (SELECT 1 FROM calendly_user_erasure e WHERE e.user_id = u.id)
FOR UPDATE OF u
"""
_IS_CONNECTED = "SELECT 1 FROM calendly_integration WHERE user_id = $1 LIMIT 1"
_ERASE_EVENTS = "DELETE FROM calendly_webhook_event WHERE user_id = $1"
_ERASE = "DELETE FROM app_user WHERE id = $1"
_UNFINISHED = """
SELECT DISTINCT u.public_id FROM calendly_user_erasure e JOIN app_user u ON u.id = e.user_id
WHERE $1::uuid IS NULL OR u.public_id > $1 ORDER BY u.public_id LIMIT $2
"""


class PiccoloUserErasures:
    def __init__(self, session: Session, keys: ErasureKeys) -> None:
        self._session = session
        self._keys = keys

    async def begin(
        self, erasure: UserErasure, external_id: str, new_key: Secret
    ) -> UserId | None:
        key = await self._keys.ensure(erasure.id, new_key)
        hashed = hash_of_user(key, external_id)
        await self._session.run(
            _BEGIN, erasure.id, hashed, erasure.erased_at, erasure.requested_by
        )
        users = await self.resume(erasure.id, external_id)
        return users[0] if users else None

    async def resume(self, erasure_id: UUID, external_id: str) -> Sequence[UserId]:
        """Take the id and the connect flows from the user, if there is one, for this erasure."""
        user = await self._session.row(_DETACH, external_id, str(erasure_id))
        if user is None:
            return []
        await self._session.run(_REFER, erasure_id, user["id"])
        await self._session.run(_FORGET_FLOWS, user["id"])
        return [UserId(user["public_id"])]

    async def finish(self, user_id: UserId) -> bool:
        """Look for integrations in a statement after the lock: it sees all that were committed."""
        user = await self._session.row(_LOCK, user_id)
        if user is None or await self._session.row(_IS_CONNECTED, user["id"]) is not None:
            return False
        await self._session.run(_ERASE_EVENTS, user["id"])
        await self._session.run(_ERASE, user["id"])
        return True

    async def unfinished(self, after: UserId | None, limit: int) -> Sequence[UserId]:
        rows = await self._session.rows(_UNFINISHED, after, limit)
        return [UserId(row["public_id"]) for row in rows]


def hash_of_user(key: Secret, external_id: str) -> bytes:
    """Return the hash of the team's id of a user (32 bytes)."""
    # No address has a NUL, so this hash is never that of an invitee.
    return hmac.digest(key.reveal().encode(), b"user\0" + external_id.encode(), "sha256")
