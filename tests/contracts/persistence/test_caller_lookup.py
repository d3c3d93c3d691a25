from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from application.ports.storage.api_keys import ApiKey
from application.ports.storage.caller_lookup import Caller
from application.ports.storage.unit_of_work import Storage
from domain.api_key import KeyScope
from domain.ids import UserId
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

KEY = b"k" * 32
OTHER = b"o" * 32
FAR = datetime(2100, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def key(storage: Storage, world: World) -> ApiKey:
    """A live API key with the hash KEY."""
    made = ApiKey(world.randomness.new_id(), "back end", "sk_live", NOON)
    async with storage() as uow:
        await uow.api_keys.add(made, KEY)
        await uow.commit()
    return made


async def test_a_live_key_finds_the_user_it_names(
    storage: Storage, world: World, key: ApiKey
) -> None:
    """With a live key the named user is found; one who never connected has no id yet."""
    user_id = UserId(world.randomness.new_id())
    async with storage() as uow:
        await uow.users.ensure("ada \u00e9", user_id, NOON)
        await uow.commit()
    callers = storage.callers()

    assert await callers.find(KEY, "ada \u00e9") == Caller(user_id, key.id)
    assert await callers.find(KEY, "ADA \u00e9") == Caller(None, key.id)
    assert await callers.find(KEY, None) == Caller(None, key.id)


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


async def test_a_key_has_what_it_was_made_with(storage: Storage, world: World) -> None:
    """Scopes and networks come back as they were stored, in the list and in the lookup."""
    made = ApiKey(
        world.randomness.new_id(),
        "reader",
        "sk_read",
        NOON,
        scopes=frozenset({KeyScope.READ, KeyScope.OPERATOR}),
        expires_at=FAR,
        networks=("10.0.0.0/8", "2001:db8::/32"),
        created_by="cli:root@db-1",
    )
    async with storage() as uow:
        await uow.api_keys.add(made, KEY)
        await uow.commit()

    found = await storage.callers().find(KEY, None)
    assert found == Caller(None, made.id, made.scopes, made.networks)
    async with storage() as uow:
        assert await uow.api_keys.all() == [made]


async def test_an_expired_key_finds_no_user(storage: Storage, world: World) -> None:
    """A key stops working by itself, by the store's clock."""
    made = ApiKey(world.randomness.new_id(), "old", "sk_old", NOON, expires_at=LONG_AGO)
    async with storage() as uow:
        await uow.api_keys.add(made, KEY)
        await uow.commit()

    assert await storage.callers().find(KEY, "ada") is None


async def test_the_last_use_only_rises(storage: Storage, key: ApiKey) -> None:
    """A mark that a slower process writes later does not turn it back; unknown keys are ignored."""
    later = NOON + timedelta(minutes=5)
    for at in (later, NOON):
        async with storage() as uow:
            await uow.api_keys.mark_used({key.id: at, UUID(int=5): at})
            await uow.commit()

    async with storage() as uow:
        (stored,) = await uow.api_keys.all()
    assert stored.last_used_at == later
