"""Connect flows in calendly_connect_attempt."""

from datetime import datetime, timedelta
from typing import Any

from adapters.persistence.database_clock import database_now, database_time
from adapters.persistence.repositories.expired import prune_held_codes
from adapters.persistence.session import Session
from adapters.persistence.tables.core import CalendlyConnectAttempt
from application.ports.storage.connect_attempts import ConnectAttempt
from domain.ids import IntegrationId, UserId

# A flow lives for minutes, so whatever died a day before the new one dies is long over.
FORGOTTEN_AFTER = timedelta(days=1)
_SWEPT = 100  # held flows that one callback deletes at most

_ADD = """
INSERT INTO calendly_connect_attempt
    (user_id, state_hash, verifier_sealed, browser_hash, return_to, expires_at, replaces)
SELECT u.id, $2, $3, $4, $5, $6, $7 FROM app_user u WHERE u.public_id = $1
"""
# A conflict must not undo the transaction, which stores a grant.
_PUT_CONNECTED = """
INSERT INTO calendly_connect_attempt
    (user_id, state_hash, verifier_sealed, browser_hash, return_to, expires_at, replaces,
     connected_id, connected_until, handle_hash)
SELECT u.id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM app_user u WHERE u.public_id = $1
ON CONFLICT DO NOTHING
"""
_FIND = """
SELECT a.*, u.public_id AS user_public_id
FROM calendly_connect_attempt a JOIN app_user u ON u.id = a.user_id
WHERE a.state_hash = $1
"""
_TAKE = """
DELETE FROM calendly_connect_attempt a USING app_user u
WHERE a.state_hash = $1 AND u.id = a.user_id
    AND a.connected_id IS NULL AND a.code_sealed IS NULL
RETURNING a.*, u.public_id AS user_public_id
"""
_HOLD = f"""
UPDATE calendly_connect_attempt SET
    code_sealed = $2, handle_hash = $3, expires_at = $4,
    held_until = {database_time("$6", "$5")}
WHERE state_hash = $1 AND connected_id IS NULL AND code_sealed IS NULL
RETURNING id
"""
# The time is judged after the deletion: a code that is past its time is deleted, and not returned.
_TAKE_HELD = f"""
WITH gone AS (
    DELETE FROM calendly_connect_attempt a USING app_user u
    WHERE a.handle_hash = $1 AND u.id = a.user_id AND a.code_sealed IS NOT NULL
    RETURNING a.*, u.public_id AS user_public_id
)
SELECT * FROM gone WHERE held_until > {database_now("$2")}
"""
_FIND_CONFIRMED = """
SELECT a.*, u.public_id AS user_public_id
FROM calendly_connect_attempt a JOIN app_user u ON u.id = a.user_id
WHERE a.handle_hash = $1 AND a.connected_id IS NOT NULL
"""


class PiccoloConnectAttempts:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, attempt: ConnectAttempt) -> None:
        over, until = attempt.expires_at - FORGOTTEN_AFTER, CalendlyConnectAttempt.connected_until
        await CalendlyConnectAttempt.delete().where(
            CalendlyConnectAttempt.expires_at < over, until.is_null() | (until < over)
        )
        await self._session.run(_ADD, *_values(attempt))

    async def find(self, state_hash: bytes) -> ConnectAttempt | None:
        row = await self._session.row(_FIND, state_hash)
        return None if row is None else _to_attempt(row)

    async def take(self, state_hash: bytes) -> ConnectAttempt | None:
        row = await self._session.row(_TAKE, state_hash)
        return None if row is None else _to_attempt(row)

    async def put_connected(self, attempt: ConnectAttempt) -> None:
        await self._session.run(
            _PUT_CONNECTED,
            *_values(attempt),
            attempt.connected_id,
            attempt.connected_until,
            attempt.handle_hash,
        )

    async def hold(self, held: ConnectAttempt, now: datetime, until: datetime) -> bool:
        await prune_held_codes(self._session, now, _SWEPT)
        row = await self._session.row(
            _HOLD,
            held.state_hash,
            held.sealed_code,
            held.handle_hash,
            held.expires_at,
            now,
            until,
        )
        return row is not None

    async def take_held(self, handle_hash: bytes, now: datetime) -> ConnectAttempt | None:
        row = await self._session.row(_TAKE_HELD, handle_hash, now)
        return None if row is None else _to_attempt(row)

    async def find_confirmed(self, handle_hash: bytes) -> ConnectAttempt | None:
        row = await self._session.row(_FIND_CONFIRMED, handle_hash)
        return None if row is None else _to_attempt(row)


def _values(attempt: ConnectAttempt) -> tuple[Any, ...]:
    return (
        attempt.user_id,
        attempt.state_hash,
        attempt.sealed_verifier,
        attempt.browser_hash,
        attempt.return_to,
        attempt.expires_at,
        attempt.replaces,
    )


def _to_attempt(row: Any) -> ConnectAttempt:
    return ConnectAttempt(
        state_hash=row["state_hash"],
        user_id=UserId(row["user_public_id"]),
        sealed_verifier=row["verifier_sealed"],
        expires_at=row["expires_at"],
        browser_hash=row["browser_hash"],
        return_to=row["return_to"],
        replaces=row["replaces"],
        connected_id=row["connected_id"] and IntegrationId(row["connected_id"]),
        connected_until=row["connected_until"],
        sealed_code=row["code_sealed"],
        handle_hash=row["handle_hash"],
    )
