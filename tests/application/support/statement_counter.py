"""A store that counts how often it is looked at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.application.support.crashing import CrashingStorage, Steps
from tests.fakes.storage import FakeUnitOfWork


class CountedStorage(CrashingStorage):
    """A wrapper around a store; `openings` counts the units of work."""

    def __init__(self, inner: CrashingStorage) -> None:
        super().__init__(Steps())
        self._inner = inner
        self.openings = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeUnitOfWork]:
        """Begin, and count it."""
        self.openings += 1
        async with self._inner() as uow:
            yield uow
