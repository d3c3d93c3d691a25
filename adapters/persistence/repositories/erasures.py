"""Erased invitees in calendly_invitee_erasure, by HMAC-SHA256 of their address (RFC 2104)."""

import hmac
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from adapters.persistence.repositories.erasure_keys import ErasureKeys
from adapters.persistence.session import Session, required
from application.ports.storage.erasures import Erasure
from domain.secret import Secret

_BEGIN = """
INSERT INTO calendly_invitee_erasure (public_id, email_hash, erased_at, requested_by)
VALUES ($1, $2, $3, $4)
"""
_FINISH = """
UPDATE calendly_invitee_erasure e SET
    bookings = CASE WHEN e.id = done.id THEN $2 ELSE 0 END,
    webhook_events = CASE WHEN e.id = done.id THEN $3 ELSE 0 END,
    unreadable = $4
FROM (SELECT id, email_hash FROM calendly_invitee_erasure WHERE public_id = $1) done
WHERE e.id = done.id
    OR e.email_hash = done.email_hash AND e.id < done.id AND e.bookings IS NULL
"""
_COLUMNS = "public_id, erased_at, requested_by, bookings, webhook_events, unreadable"
_UNFINISHED = f"""
SELECT {_COLUMNS} FROM calendly_invitee_erasure
WHERE bookings IS NULL AND erased_at < $1 ORDER BY erased_at, id LIMIT 1
"""
_FIND = f"SELECT {_COLUMNS} FROM calendly_invitee_erasure WHERE public_id = $1"
_KNOWN = """
SELECT email_hash, max(erased_at) AS erased_at FROM calendly_invitee_erasure
WHERE email_hash = ANY ($1::bytea[]) GROUP BY email_hash ORDER BY 2
"""
_QUIET = """
SELECT NOT EXISTS (
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND usename = current_user AND xact_start < $1
) AS quiet
"""


class PiccoloErasures:
    def __init__(self, session: Session, keys: ErasureKeys) -> None:
        self._session = session
        self._keys = keys

    async def begin(self, erasure: Erasure, email: str, new_key: Secret) -> None:
        key = await self._keys.ensure(erasure.id, new_key)
        await self._session.run(
            _BEGIN, erasure.id, _hash(key, email), erasure.erased_at, erasure.requested_by
        )

    async def finish(self, erasure: Erasure) -> None:
        await self._session.run(
            _FINISH, erasure.id, erasure.bookings, erasure.webhook_events, erasure.unreadable
        )

    async def unfinished(self, begun_before: datetime) -> Erasure | None:
        return _to_erasure(await self._session.row(_UNFINISHED, begun_before))

    async def find(self, erasure_id: UUID) -> Erasure | None:
        return _to_erasure(await self._session.row(_FIND, erasure_id))

    async def known(self, emails: Collection[str]) -> Mapping[str, datetime]:
        keys = await self._keys.current()
        if not keys or not emails:
            return {}
        hashes = {_hash(key, email): email for email in emails for key in keys}
        rows = await self._session.rows(_KNOWN, list(hashes))
        # Under two keys an address may be found twice; the rows are ordered, so the last one stays.
        return {hashes[row["email_hash"]]: row["erased_at"] for row in rows}

    async def moment(self) -> datetime:
        row = await self._session.row("SELECT clock_timestamp() AS now")
        moment: datetime = required(row)["now"]
        return moment

    async def is_quiet_since(self, moment: datetime) -> bool:
        row = await self._session.row(_QUIET, moment)
        return row is not None and bool(row["quiet"])


def _to_erasure(row: Any) -> Erasure | None:
    if row is None:
        return None
    return Erasure(
        id=row["public_id"],
        erased_at=row["erased_at"],
        requested_by=row["requested_by"],
        bookings=row["bookings"],
        webhook_events=row["webhook_events"],
        unreadable=row["unreadable"],
    )


def _hash(key: Secret, email: str) -> bytes:
    return hmac.digest(key.reveal().encode(), email.encode(), "sha256")
