"""Users in app_user."""

from datetime import datetime

from adapters.persistence.session import Session
from domain.errors import StorageUnavailable
from domain.ids import UserId

_FIND = "SELECT public_id FROM app_user WHERE external_id = $1"
_CREATE = """
INSERT INTO app_user (public_id, external_id, created_at) VALUES ($1, $2, $3)
ON CONFLICT (external_id) DO NOTHING RETURNING public_id
"""


class PiccoloUsers:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def ensure(self, external_id: str, new_id: UserId, now: datetime) -> UserId:
        found = (
            await self._session.row(_FIND, external_id)
            or await self._session.row(_CREATE, new_id, external_id, now)
            # Another process committed the same user between the two statements.
            or await self._session.row(_FIND, external_id)
        )
        if found is None:
            raise StorageUnavailable("The user was deleted at this moment.")
        return UserId(found["public_id"])
