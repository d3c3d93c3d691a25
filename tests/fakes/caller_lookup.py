"""Looks at keys and users in their plainest form: a unit of work for each."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from application.ports.storage.caller_lookup import Caller
from tests.fakes.api_keys import FakeApiKeys
from tests.fakes.users import FakeUsers


class HasCallers(Protocol):
    """A unit of work, as far as looks need it."""

    @property
    def api_keys(self) -> FakeApiKeys:
        """The keys."""
        ...

    @property
    def users(self) -> FakeUsers:
        """The users."""
        ...


class FakeCallers:
    """Implements the Callers port on a fake store."""

    def __init__(self, begin: Callable[[], AbstractAsyncContextManager[HasCallers]]) -> None:
        self._begin = begin

    async def find(self, key_hash: bytes, external_id: str | None) -> Caller | None:
        """Look both up."""
        async with self._begin() as uow:
            if await uow.api_keys.find(key_hash) is None:
                return None
            return Caller(uow.users.known(external_id))
