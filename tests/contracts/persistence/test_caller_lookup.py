from datetime import timedelta

import pytest

from application.ports.storage.api_keys import ApiKey
from application.ports.storage.caller_lookup import Caller
from application.ports.storage.unit_of_work import Storage
from domain.ids import UserId
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

KEY = b"k" * 32
OTHER = b"o" * 32


@pytest.fixture
async def key(storage: Storage, world: World) -> ApiKey:
    """A live API key with the hash KEY."""
    made = ApiKey(world.randomness.new_id(), "back end", "sk_live", NOON)
    async with storage() as uow:
        await uow.api_keys.add(made, KEY)
        await uow.commit()
    return made


@pytest.mark.usefixtures("key")
async def test_a_live_key_finds_the_user_it_names(storage: Storage, world: World) -> None:
    """With a live key the named user is found; one who was never named has no id yet."""
    user_id = UserId(world.randomness.new_id())
    async with storage() as uow:
        await uow.users.ensure("ada \u00e9", user_id, NOON)
        await uow.commit()
    callers = storage.callers()

    assert await callers.find(KEY, "ada \u00e9") == Caller(user_id)
    assert await callers.find(KEY, "ADA \u00e9") == Caller(None)
    assert await callers.find(KEY, None) == Caller(None)


async def test_a_dead_key_finds_no_user(storage: Storage, key: ApiKey) -> None:
    """An unknown key and a revoked one are not a caller, for any user."""
    async with storage() as uow:
        await uow.users.ensure("ada", UserId(key.id), NOON)
        await uow.commit()
    assert await storage.callers().find(OTHER, "ada") is None

    async with storage() as uow:
        await uow.api_keys.revoke(key.id, NOON + timedelta(minutes=1))
        await uow.commit()

    assert await storage.callers().find(KEY, "ada") is None
