from datetime import datetime, timedelta

from msgspec.structs import replace

from application.ports.storage.unit_of_work import Storage
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, Status
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def claim(storage: Storage, now: datetime, limit: int = 9) -> list[IntegrationId]:
    """Claim for a minute, committed."""
    async with storage() as uow:
        claimed = await uow.sync_queue.claim_due("job", now, now + MINUTE, limit)
        await uow.commit()
    return [each.id for each in claimed]


async def finish(
    storage: Storage, integration: Integration, owner: str, due_at: datetime, **synced: datetime
) -> bool:
    """Give a right back, committed."""
    async with storage() as uow:
        mine = await uow.sync_queue.finish(
            integration.id, owner, synced_at=synced.get("synced_at"), due_at=due_at
        )
        await uow.commit()
    return mine


async def change(storage: Storage, user_id: UserId, at: datetime) -> None:
    """Let something change that makes a sync due, committed."""
    async with storage() as uow:
        await uow.availability.invalidate([user_id], at, by="test")
        await uow.commit()


async def test_new_is_due(storage: Storage, ada: Integration) -> None:
    """A newly connected integration is due immediately, and claimed once."""
    async with storage() as uow:
        claimed = await uow.sync_queue.claim_due("job", NOON, NOON + MINUTE, 9)
        again = await uow.sync_queue.claim_due("job", NOON, NOON + MINUTE, 9)

    assert claimed == [ada]
    assert again == []


async def test_longest_due_first(storage: Storage, world: World) -> None:
    """Those that are due for longest come first, up to the limit."""
    made = [
        await world.connect(f"user-{minutes}", connected_at=NOON + minutes * MINUTE)
        for minutes in (30, 10, 20, 61)
    ]

    assert await claim(storage, NOON + HOUR, 2) == [made[1].id, made[2].id]
    assert await claim(storage, NOON + HOUR, 2) == [made[0].id]


async def test_take(storage: Storage, world: World, ada: Integration) -> None:
    """The right is taken by one at a time, due or not, and only of an active integration."""
    dead = await world.connect("dead", status=Status.REAUTH_REQUIRED, tokens=None)
    await claim(storage, NOON)
    await finish(storage, ada, "job", NOON + HOUR)

    async with storage() as uow:
        absent = IntegrationId(world.randomness.new_id())
        assert await uow.sync_queue.take(ada.id, "reader", NOON, NOON + MINUTE)
        assert not await uow.sync_queue.take(ada.id, "other", NOON, NOON + MINUTE)
        assert await uow.sync_queue.take(ada.id, "other", NOON + MINUTE, NOON + 2 * MINUTE)
        assert not await uow.sync_queue.take(dead.id, "other", NOON, NOON + MINUTE)
        assert not await uow.sync_queue.take(absent, "other", NOON, NOON + MINUTE)


async def test_is_held(storage: Storage, world: World, ada: Integration) -> None:
    """A lease is held until it ends or is released."""
    async with storage() as uow:
        queue = uow.sync_queue
        assert not await queue.is_held(ada.id, NOON)
        await queue.take(ada.id, "me", NOON, NOON + MINUTE)
        assert await queue.is_held(ada.id, NOON)
        assert not await queue.is_held(ada.id, NOON + MINUTE)
        await queue.finish(ada.id, "me", synced_at=None, due_at=NOON)
        assert not await queue.is_held(ada.id, NOON)
        assert not await queue.is_held(IntegrationId(world.randomness.new_id()), NOON)


async def test_crash(storage: Storage, ada: Integration) -> None:
    """The claims of a worker that died are due again when the lease ends."""
    assert await claim(storage, NOON) == [ada.id]

    assert await claim(storage, NOON + MINUTE - timedelta(microseconds=1)) == []
    assert await claim(storage, NOON + MINUTE) == [ada.id]


async def test_finish(storage: Storage, world: World, ada: Integration) -> None:
    """A finished sync is remembered and due again when it was said to be."""
    await claim(storage, NOON)

    assert await finish(storage, ada, "job", NOON + HOUR, synced_at=NOON)

    assert await world.now(ada.id) == replace(ada, last_synced_at=NOON)
    assert await claim(storage, NOON + 59 * MINUTE) == []
    assert await claim(storage, NOON + HOUR) == [ada.id]


async def test_failed(storage: Storage, world: World, ada: Integration) -> None:
    """A failed sync leaves the time of the last good one."""
    await claim(storage, NOON)
    await finish(storage, ada, "job", NOON, synced_at=NOON)
    await claim(storage, NOON)

    await finish(storage, ada, "job", NOON + HOUR)

    assert (await world.now(ada.id)).last_synced_at == NOON


async def test_due_during_a_sync(storage: Storage, ada: Integration) -> None:
    """A user that becomes due during a sync is due after it, regardless of the sync's due time."""
    await claim(storage, NOON)
    await change(storage, ada.user_id, NOON + timedelta(seconds=5))
    assert await claim(storage, NOON + timedelta(seconds=10)) == []

    await finish(storage, ada, "job", NOON + HOUR, synced_at=NOON)

    assert await claim(storage, NOON + timedelta(seconds=10)) == [ada.id]


async def test_due_after_the_lease_ended(storage: Storage, ada: Integration) -> None:
    """A change after the right's end counts too when the slow holder finishes after all."""
    await claim(storage, NOON)
    await change(storage, ada.user_id, NOON + 2 * MINUTE)

    await finish(storage, ada, "job", NOON + HOUR, synced_at=NOON)

    assert await claim(storage, NOON + 3 * MINUTE) == [ada.id]


async def test_due_before_claim(storage: Storage, ada: Integration) -> None:
    """The sync covers a due time from before its lease."""
    await claim(storage, NOON)
    await finish(storage, ada, "job", NOON + HOUR)
    await change(storage, ada.user_id, NOON + MINUTE)
    assert await claim(storage, NOON + MINUTE) == [ada.id]

    await finish(storage, ada, "job", NOON + HOUR)

    assert await claim(storage, NOON + 59 * MINUTE) == []


async def test_lost_lease(storage: Storage, world: World, ada: Integration) -> None:
    """An owner that lost the lease changes nothing and gets False."""
    async with storage() as uow:
        await uow.sync_queue.take(ada.id, "slow", NOON, NOON + MINUTE)
        await uow.sync_queue.take(ada.id, "next", NOON + MINUTE, NOON + 2 * MINUTE)
        await uow.commit()

    assert not await finish(storage, ada, "slow", NOON + HOUR, synced_at=NOON)

    assert await world.now(ada.id) == ada
    async with storage() as uow:
        assert not await uow.sync_queue.take(ada.id, "third", NOON + MINUTE, NOON + HOUR)


async def test_only_active(storage: Storage, world: World) -> None:
    """Integrations without a live grant are not due."""
    await world.connect("dead", status=Status.REAUTH_REQUIRED, tokens=None)

    assert await claim(storage, NOON + HOUR) == []


async def test_hand_on(storage: Storage, world: World, ada: Integration) -> None:
    """A right goes over to another name with a length of its own, unless it was lost."""
    await claim(storage, NOON)
    absent = IntegrationId(world.randomness.new_id())
    async with storage() as uow:
        queue, until = uow.sync_queue, NOON + 2 * MINUTE
        assert not await queue.transfer(ada.id, "other", to="me", now=NOON, until=until)
        assert not await queue.transfer(absent, "job", to="me", now=NOON, until=until)
        assert await queue.transfer(ada.id, "job", to="me", now=NOON, until=until)
        await uow.commit()

    assert not await finish(storage, ada, "job", NOON)
    assert await claim(storage, NOON + MINUTE) == []
    assert await finish(storage, ada, "me", NOON + HOUR, synced_at=NOON)
    assert await claim(storage, NOON + 59 * MINUTE) == []


async def test_hand_on_after_the_end(storage: Storage, ada: Integration) -> None:
    """A lease that ended can be transferred as long as no other owner took it."""
    await claim(storage, NOON)

    async with storage() as uow:
        queue, late = uow.sync_queue, NOON + 2 * MINUTE
        assert await queue.transfer(ada.id, "job", to="me", now=NOON, until=late + MINUTE)
        assert await queue.is_held(ada.id, late)
        assert not await queue.take(ada.id, "other", late, late + MINUTE)
