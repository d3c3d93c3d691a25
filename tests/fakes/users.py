"""Users in memory."""

from datetime import datetime

from domain.ids import UserId
from tests.fakes.state import State


class FakeUsers:
    def __init__(self, state: State) -> None:
        self._state = state

    async def ensure(self, external_id: str, new_id: UserId, now: datetime) -> UserId:  # noqa: ARG002
        return self._state.users.setdefault(external_id, new_id)

    def known(self, external_id: str | None) -> UserId | None:
        return None if external_id is None else self._state.users.get(external_id)
