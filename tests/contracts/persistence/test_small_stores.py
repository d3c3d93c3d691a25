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


def held_from(attempt: ConnectAttempt, handle: bytes) -> ConnectAttempt:
    """Return the flow with a code that waits under this handle."""
    return replace(attempt, sealed_code="code", handle_hash=handle * 32)


async def test_held_attempts(storage: Storage, world: World) -> None:
    """A held flow is found and never taken as one under way; its handle gets it once."""
    flow = ConnectAttempt(b"g" * 32, await world.user("ada"), "sealed", NOON)
    held = held_from(flow, b"h")
    async with storage() as uow:
        await uow.connect_attempts.add(flow)
        assert await uow.connect_attempts.hold(held, NOON, NOON + MINUTE)
        assert not await uow.connect_attempts.hold(held_from(flow, b"i"), NOON, NOON + MINUTE)
        assert await uow.connect_attempts.take(flow.state_hash) is None
        assert await uow.connect_attempts.find(flow.state_hash) == held
        assert await uow.connect_attempts.find_confirmed(b"h" * 32) is None
        assert await uow.connect_attempts.take_held(b"i" * 32, NOON) is None
        assert await uow.connect_attempts.take_held(b"h" * 32, NOON) == held
        assert await uow.connect_attempts.take_held(b"h" * 32, NOON) is None
        assert await uow.connect_attempts.find(flow.state_hash) is None


async def test_a_flow_that_is_not_under_way_is_not_held(storage: Storage, world: World) -> None:
    """Neither an unknown flow nor a completed one keeps a code."""
    done = ConnectAttempt(
        b"d" * 32,
        await world.user("ada"),
        "sealed",
        NOON,
        connected_id=IntegrationId(world.randomness.new_id()),
        connected_until=NOON + MINUTE,
        handle_hash=b"h" * 32,
    )
    async with storage() as uow:
        await uow.connect_attempts.put_connected(done)
        assert not await uow.connect_attempts.hold(held_from(done, b"k"), NOON, NOON + MINUTE)
        unknown = held_from(replace(done, state_hash=b"u" * 32), b"l")
        assert not await uow.connect_attempts.hold(unknown, NOON, NOON + MINUTE)
        assert await uow.connect_attempts.take_held(b"h" * 32, NOON) is None
        assert await uow.connect_attempts.find_confirmed(b"h" * 32) == done


async def test_a_held_code_ends(storage: Storage, world: World) -> None:
    """A code is not handed out after its time, and goes with the next look or the next sweep."""
    user_id = await world.user("ada")
    flows = [
        ConnectAttempt(bytes([number]) * 32, user_id, "sealed", NOON) for number in (1, 2, 3, 4)
    ]
    async with storage() as uow:
        for number, each in enumerate(flows[:3]):
            await uow.connect_attempts.add(each)
            until = NOON + (number + 1) * MINUTE
            held = held_from(each, each.state_hash[:1])
            assert await uow.connect_attempts.hold(held, NOON, until)
        await uow.connect_attempts.add(flows[3])
        await uow.commit()

    later = NOON + 2 * MINUTE
    async with storage() as uow:
        assert await uow.connect_attempts.take_held(b"\x02" * 32, later) is None
        assert await uow.connect_attempts.find(flows[1].state_hash) is None
        fourth = held_from(flows[3], b"\x04")
        assert await uow.connect_attempts.hold(fourth, later, later + MINUTE)
        assert await uow.connect_attempts.find(flows[0].state_hash) is None
        assert await uow.expired.prune_held_codes(later, 9) == 0
        assert await uow.expired.prune_held_codes(later + 2 * MINUTE, 1) == 1
        assert await uow.expired.prune_held_codes(later + 2 * MINUTE, 9) == 1
        assert await uow.connect_attempts.find(flows[3].state_hash) is None


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
