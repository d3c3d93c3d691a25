"""Looks at keys and users in their plainest form: a unit of work for each."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from application.ports.storage.caller_lookup import Caller
from tests.fakes.api_keys import FakeApiKeys
from tests.fakes.users import FakeUsers


class HasCallers(Protocol):
    @property
    def api_keys(self) -> FakeApiKeys: ...

    @property
    def users(self) -> FakeUsers: ...


class FakeCallers:
    def __init__(self, begin: Callable[[], AbstractAsyncContextManager[HasCallers]]) -> None:
        self._begin = begin

    async def find(self, key_hash: bytes, external_id: str | None) -> Caller | None:
        async with self._begin() as uow:
            key = uow.api_keys.live(key_hash)
            if key is None:
                return None
            return Caller(uow.users.known(external_id), key.id, key.scopes, key.networks)
