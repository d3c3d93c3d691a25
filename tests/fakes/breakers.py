"""Shared circuit breakers in memory."""

from application.ports.storage.breakers import Surface
from domain.circuit_breaker import CLOSED, Breaker
from tests.fakes.state import State


class FakeBreakers:
    """Implements the Breakers port; units of work run one at a time, so a lock is free."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def read(self, surface: Surface) -> Breaker:
        """Read one."""
        return self._state.breakers.get(surface, CLOSED)

    async def lock(self, surface: Surface) -> Breaker:
        """Read one."""
        return await self.read(surface)

    async def put(self, surface: Surface, breaker: Breaker) -> None:
        """Store one."""
        self._state.breakers[surface] = breaker
