"""Connect flows in calendly_connect_attempt."""

from datetime import timedelta
from typing import Any

from adapters.persistence.session import Session
from adapters.persistence.tables.core import CalendlyConnectAttempt
from application.ports.storage.connect_attempts import ConnectAttempt
from domain.ids import UserId

# A flow lives for minutes, so whatever died a day before the new one dies is long over.
FORGOTTEN_AFTER = timedelta(days=1)

_ADD = """
INSERT INTO calendly_connect_attempt
    (user_id, state_hash, verifier_sealed, browser_hash, return_to, expires_at, replaces)
SELECT u.id, $2, $3, $4, $5, $6, $7 FROM app_user u WHERE u.public_id = $1
"""
_FIND = """
SELECT a.*, u.public_id AS user_public_id
FROM calendly_connect_attempt a JOIN app_user u ON u.id = a.user_id
WHERE a.state_hash = $1
"""
_TAKE = """
DELETE FROM calendly_connect_attempt a USING app_user u
WHERE a.state_hash = $1 AND u.id = a.user_id
RETURNING a.*, u.public_id AS user_public_id
"""


class PiccoloConnectAttempts:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, attempt: ConnectAttempt) -> None:
        over = attempt.expires_at - FORGOTTEN_AFTER
        await CalendlyConnectAttempt.delete().where(CalendlyConnectAttempt.expires_at < over)
        await self._session.run(
            _ADD,
            attempt.user_id,
            attempt.state_hash,
            attempt.sealed_verifier,
            attempt.browser_hash,
            attempt.return_to,
            attempt.expires_at,
            attempt.replaces,
        )

    async def find(self, state_hash: bytes) -> ConnectAttempt | None:
        row = await self._session.row(_FIND, state_hash)
        return None if row is None else _to_attempt(row)

    async def take(self, state_hash: bytes) -> ConnectAttempt | None:
        row = await self._session.row(_TAKE, state_hash)
        return None if row is None else _to_attempt(row)


def _to_attempt(row: Any) -> ConnectAttempt:
    return ConnectAttempt(
        state_hash=row["state_hash"],
        user_id=UserId(row["user_public_id"]),
        sealed_verifier=row["verifier_sealed"],
        expires_at=row["expires_at"],
        browser_hash=row["browser_hash"],
        return_to=row["return_to"],
        replaces=row["replaces"],
    )
