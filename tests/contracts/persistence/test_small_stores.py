from datetime import timedelta

from msgspec.structs import replace

from application.ports.storage.api_keys import ApiKey
from application.ports.storage.breakers import Surface
from application.ports.storage.caller_lookup import Caller
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import Storage
from domain.circuit_breaker import CLOSED, Breaker, BreakerState
from domain.ids import IntegrationId, UserId
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)


async def test_users(storage: Storage, world: World) -> None:
    """A user gets an id when first seen and keeps it."""
    async with storage() as uow:
        first, other = (UserId(world.randomness.new_id()) for _ in range(2))
        assert await uow.users.ensure("ada", first, NOON) == first
        assert await uow.users.ensure("ada", other, NOON) == first
        assert await uow.users.ensure("grace", other, NOON) == other
        await uow.commit()

    async with storage() as uow:
        again = UserId(world.randomness.new_id())
        assert await uow.users.ensure("ada", again, NOON) == first


async def test_api_keys(storage: Storage, world: World) -> None:
    """A key works until it is revoked, and stays in the list, oldest first."""
    new, old = (
        ApiKey(world.randomness.new_id(), name, f"sk_{name}", NOON - age * MINUTE)
        for age, name in enumerate(["new", "old"])
    )
    async with storage() as uow:
        await uow.api_keys.add(new, b"n" * 32)
        await uow.api_keys.add(old, b"o" * 32)
        await uow.commit()

    async with storage() as uow:
        assert await uow.api_keys.all() == [old, new]
        assert await uow.api_keys.revoke(new.id, NOON)
        assert not await uow.api_keys.revoke(new.id, NOON + MINUTE)
        assert not await uow.api_keys.revoke(world.randomness.new_id(), NOON)
        assert await uow.api_keys.all() == [old, replace(new, revoked_at=NOON)]
        await uow.commit()

    assert await storage.callers().find(b"n" * 32, None) is None
    assert await storage.callers().find(b"o" * 32, None) == Caller(None, old.id)


async def test_connect_attempts(storage: Storage, world: World) -> None:
    """A flow is found until it is handed out, once, expired or not, with all that it was."""
    user_id = await world.user("ada")
    full = ConnectAttempt(
        b"a" * 32,
        user_id,
        "sealed",
        NOON,
        browser_hash=b"b" * 32,
        return_to="https://app.example",
        replaces=True,
    )
    bare = ConnectAttempt(b"c" * 32, user_id, "sealed", NOON + MINUTE)
    async with storage() as uow:
        await uow.connect_attempts.add(full)
        await uow.connect_attempts.add(bare)
        await uow.commit()

    async with storage() as uow:
        assert await uow.connect_attempts.find(b"a" * 32) == full
        assert await uow.connect_attempts.take(b"a" * 32) == full
        assert await uow.connect_attempts.take(b"a" * 32) is None
        assert await uow.connect_attempts.find(b"a" * 32) is None
        assert await uow.connect_attempts.take(b"c" * 32) == bare
        assert await uow.connect_attempts.take(b"x" * 32) is None


async def test_completed_attempts(storage: Storage, world: World) -> None:
    """A completed flow is found with its result, is never taken, and stays until it is over."""
    user_id = await world.user("ada")
    done = ConnectAttempt(
        b"d" * 32,
        user_id,
        "sealed",
        NOON - timedelta(hours=1),
        connected_id=IntegrationId(world.randomness.new_id()),
        connected_until=NOON + MINUTE,
    )
    async with storage() as uow:
        await uow.connect_attempts.put_connected(done)
        await uow.connect_attempts.put_connected(replace(done, connected_until=NOON))
        long = ConnectAttempt(b"e" * 32, user_id, "sealed", NOON + timedelta(days=1))
        await uow.connect_attempts.add(long)
        assert await uow.connect_attempts.take(done.state_hash) is None
        assert await uow.connect_attempts.find(done.state_hash) == done
        later = replace(long, state_hash=b"f" * 32, expires_at=long.expires_at + 2 * MINUTE)
        await uow.connect_attempts.add(later)
        assert await uow.connect_attempts.find(done.state_hash) is None


async def test_old_attempts(storage: Storage, world: World) -> None:
    """Flows that are long over are forgotten when a new one begins."""
    user_id = await world.user("ada")
    over = ConnectAttempt(b"a" * 32, user_id, "sealed", NOON - timedelta(days=2))
    new = ConnectAttempt(b"b" * 32, user_id, "sealed", NOON)
    async with storage() as uow:
        await uow.connect_attempts.add(over)
        await uow.connect_attempts.add(new)
        await uow.commit()

    async with storage() as uow:
        assert await uow.connect_attempts.take(b"a" * 32) is None
        assert await uow.connect_attempts.take(b"b" * 32) == new


async def test_breakers(storage: Storage) -> None:
    """A breaker is closed until it is stored, then read as stored; surfaces are apart."""
    tripped = Breaker(
        state=BreakerState.HALF_OPEN,
        failures=7,
        opened_at=NOON,
        trips=2,
        probe_until=NOON + 3 * MINUTE,
        failed_at=(NOON - timedelta(microseconds=1), NOON),
        open_until=NOON + 2 * MINUTE,
        failed_by=("", "account-1"),
    )
    async with storage() as uow:
        assert await uow.breakers.read(Surface.API) == CLOSED
        assert await uow.breakers.lock(Surface.API) == CLOSED
        await uow.breakers.put(Surface.API, tripped)
        await uow.breakers.put(Surface.OAUTH, Breaker(failures=1))
        await uow.commit()

    async with storage() as uow:
        assert await uow.breakers.read(Surface.API) == tripped
        assert await uow.breakers.lock(Surface.API) == tripped
        assert await uow.breakers.read(Surface.OAUTH) == Breaker(failures=1)
        await uow.breakers.put(Surface.API, CLOSED)
        assert await uow.breakers.read(Surface.API) == CLOSED
