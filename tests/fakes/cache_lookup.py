"""Looks at the availability cache in their plainest form: a unit of work for each."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from domain.availability import Window
from domain.ids import UserId
from tests.fakes.availability_cache import FakeAvailabilityCache


class HasCache(Protocol):
    """A unit of work, as far as looks need it."""

    @property
    def availability(self) -> FakeAvailabilityCache:
        """The cache."""
        ...


class FakeCacheLookup:
    """Implements the CacheLookup port on a fake store."""

    def __init__(self, begin: Callable[[], AbstractAsyncContextManager[HasCache]]) -> None:
        self._begin = begin

    async def read(
        self, user_id: UserId, wanted: Sequence[CacheKey], *, occupied_in: Window | None = None
    ) -> CacheSnapshot | None:
        """Look everything up."""
        async with self._begin() as uow:
            return await uow.availability.snapshot(user_id, wanted, occupied_in=occupied_in)
