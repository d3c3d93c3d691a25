"""Shared circuit breakers in memory."""

from application.ports.storage.breakers import Surface
from domain.circuit_breaker import CLOSED, Breaker
from tests.fakes.state import State


class FakeBreakers:
    def __init__(self, state: State) -> None:
        self._state = state

    async def read(self, surface: Surface) -> Breaker:
        return self._state.breakers.get(surface, CLOSED)

    async def lock(self, surface: Surface) -> Breaker:
        return await self.read(surface)

    async def put(self, surface: Surface, breaker: Breaker) -> None:
        self._state.breakers[surface] = breaker
