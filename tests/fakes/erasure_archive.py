"""The records of erasures in memory; a hash is the text itself."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from application.ports.storage.erasure_archive import (
    ErasureRecord,
    RestoredPage,
    SealedErasureKey,
)
from application.ports.storage.erasures import Erasure
from application.ports.storage.user_erasures import UserErasure
from domain.ids import UserId
from tests.fakes.state import ErasureRow, State, UserErasureRow

_KEY = SealedErasureKey(UUID(int=1), "sealed")


class FakeErasureArchive:
    """Users have no creation time here: each that was erased is found again."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def keys(self) -> Sequence[SealedErasureKey]:
        return [_KEY]

    async def add_keys(self, keys: Sequence[SealedErasureKey]) -> None:
        """Keep nothing: nothing is hashed."""

    async def invitees(self) -> Sequence[ErasureRecord]:
        return [_record(row.erasure, row.email) for row in self._state.erasures.values()]

    async def users(self) -> Sequence[ErasureRecord]:
        return [
            _record(row.erasure, row.external_id) for row in self._state.user_erasures.values()
        ]

    async def add_invitees(self, records: Sequence[ErasureRecord]) -> UUID | None:
        last = None
        for each in records:
            if each.id not in self._state.erasures:
                erasure = Erasure(each.id, each.erased_at, each.requested_by, 0, 0, 0)
                self._state.erasures[each.id] = ErasureRow(erasure, each.hash.decode())
                last = each.id
        if last is not None:
            row = self._state.erasures[last]
            begun = replace(row.erasure, bookings=None, webhook_events=None, unreadable=None)
            self._state.erasures[last] = replace(row, erasure=begun)
        return last

    async def add_users(self, records: Sequence[ErasureRecord]) -> int:
        new = [each for each in records if each.id not in self._state.user_erasures]
        for each in new:
            erasure = UserErasure(each.id, each.erased_at, each.requested_by)
            self._state.user_erasures[each.id] = UserErasureRow(erasure, each.hash.decode(), None)
        return len(new)

    async def restored_users(self, after: int, limit: int) -> RestoredPage:  # noqa: ARG002 - one page
        state, found = self._state, list[UserId]()
        for erasure_id, row in state.user_erasures.items():
            user_id = state.users.pop(row.external_id, None)
            if user_id is not None:
                state.users[f" {erasure_id}"] = user_id
                state.user_erasures[erasure_id] = replace(row, user_id=user_id)
                found.append(user_id)
        return RestoredPage(found, after=None)

    async def mac(self, key: SealedErasureKey, content: bytes) -> bytes:
        return str((key.id, hash(content))).encode()


def _record(erasure: Erasure | UserErasure, text: str) -> ErasureRecord:
    at: datetime = erasure.erased_at
    return ErasureRecord(erasure.id, text.encode(), at, erasure.requested_by)
