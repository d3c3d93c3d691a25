"""Erased users in memory."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from application.ports.storage.user_erasures import UserErasure
from domain.ids import UserId
from domain.secret import Secret
from tests.fakes.state import State, UserErasureRow


class FakeUserErasures:
    def __init__(self, state: State) -> None:
        self._state = state

    async def begin(
        self,
        erasure: UserErasure,
        external_id: str,
        new_key: Secret,  # noqa: ARG002 - nothing is hashed
    ) -> UserId | None:
        state = self._state
        user_id = state.users.pop(external_id, None)
        state.user_erasures[erasure.id] = UserErasureRow(erasure, external_id, user_id)
        if user_id is not None:
            state.users[f" {erasure.id}"] = user_id
            state.connect_attempts = _of_others(state.connect_attempts, user_id)
        return user_id

    async def finish(self, user_id: UserId) -> bool:
        state = self._state
        if not state.is_leaving(user_id) or state.integration_of(user_id) is not None:
            return False
        state.users = {key: value for key, value in state.users.items() if value != user_id}
        state.webhook_events = {
            key: row for key, row in state.webhook_events.items() if row.event.user_id != user_id
        }
        state.booking_commands = _of_others(state.booking_commands, user_id)
        state.connect_attempts = _of_others(state.connect_attempts, user_id)
        state.user_erasures = {
            key: replace(row, user_id=None) if row.user_id == user_id else row
            for key, row in state.user_erasures.items()
        }
        return True

    async def unfinished(self, after: UserId | None, limit: int) -> Sequence[UserId]:
        rows = self._state.user_erasures.values()
        leaving = sorted({row.user_id for row in rows if row.user_id is not None})
        return [each for each in leaving if after is None or each > after][:limit]


def _of_others(rows: dict[Any, Any], user_id: UserId) -> dict[Any, Any]:
    return {key: row for key, row in rows.items() if row.user_id != user_id}
