"""Connect flows in memory."""

from datetime import timedelta

from application.ports.storage.connect_attempts import ConnectAttempt
from tests.fakes.state import State

_FORGOTTEN_AFTER = timedelta(days=1)


class FakeConnectAttempts:
    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, attempt: ConnectAttempt) -> None:
        kept = {
            state_hash: each
            for state_hash, each in self._state.connect_attempts.items()
            if (each.connected_until or each.expires_at) >= attempt.expires_at - _FORGOTTEN_AFTER
        }
        self._state.connect_attempts = kept | {attempt.state_hash: attempt}

    async def find(self, state_hash: bytes) -> ConnectAttempt | None:
        return self._state.connect_attempts.get(state_hash)

    async def take(self, state_hash: bytes) -> ConnectAttempt | None:
        found = self._state.connect_attempts.get(state_hash)
        if found is None or found.connected_id is not None:
            return None
        return self._state.connect_attempts.pop(state_hash)

    async def put_connected(self, attempt: ConnectAttempt) -> None:
        self._state.connect_attempts.setdefault(attempt.state_hash, attempt)
