"""Connect flows in memory."""

from datetime import datetime, timedelta

from application.ports.storage.connect_attempts import ConnectAttempt
from tests.fakes.expired import FakeExpired
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
        if found is None or found.connected_id is not None or found.is_held:
            return None
        return self._state.connect_attempts.pop(state_hash)

    async def put_connected(self, attempt: ConnectAttempt) -> None:
        self._state.connect_attempts.setdefault(attempt.state_hash, attempt)

    async def hold(self, held: ConnectAttempt, now: datetime, until: datetime) -> bool:
        await FakeExpired(self._state).prune_held_codes(now, 100)
        found = self._state.connect_attempts.get(held.state_hash)
        if found is None or found.connected_id is not None or found.is_held:
            return False
        self._state.connect_attempts[held.state_hash] = held
        self._state.held_until[held.state_hash] = until
        return True

    async def take_held(self, handle_hash: bytes, now: datetime) -> ConnectAttempt | None:
        for each in self._state.connect_attempts.values():
            if each.handle_hash == handle_hash and each.is_held:
                del self._state.connect_attempts[each.state_hash]
                return each if self._state.held_until.pop(each.state_hash) > now else None
        return None

    async def find_confirmed(self, handle_hash: bytes) -> ConnectAttempt | None:
        return next(
            (
                each
                for each in self._state.connect_attempts.values()
                if each.handle_hash == handle_hash and each.connected_id is not None
            ),
            None,
        )
