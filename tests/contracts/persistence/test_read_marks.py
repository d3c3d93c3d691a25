from datetime import datetime, timedelta

from application.ports.storage.availability_cache import CacheEntry, CacheKey
from application.ports.storage.unit_of_work import Storage
from domain.ids import IntegrationId, UserId
from domain.integration import Integration
from tests.contracts.persistence.caching import (
    BUSY,
    EVENT_TYPES,
    MINUTE,
    failed,
    mark_failed,
    put,
    read,
    slots,
)
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def mark(storage: Storage, owner: Integration, *entries: CacheEntry, at: datetime) -> None:
    """Mark entries of a user as read, committed."""
    async with storage() as uow:
        await uow.availability.mark_read({(owner.user_id, each.cache_key): at for each in entries})
        await uow.commit()


async def read_at(storage: Storage, owner: Integration, entry: CacheEntry) -> datetime | None:
    """Return when a entry was last read."""
    stored = await read(storage, owner, entry)
    return None if stored is None else stored.read_at


async def claim(storage: Storage, limit: int = 9) -> list[IntegrationId]:
    """Claim what is due after a day, committed."""
    async with storage() as uow:
        found = await uow.sync_queue.claim_due("job", NOON + DAY, NOON + DAY + HOUR, limit)
        await uow.commit()
    return [each.id for each in found]


async def test_mark(storage: Storage, world: World, ada: Integration) -> None:
    """Several users' entries are marked together, and no others."""
    grace, alan = await world.connect("grace"), await world.connect("alan")
    for owner in (ada, grace, alan):
        await put(storage, owner, slots(), BUSY)
    later = NOON + MINUTE
    stranger = UserId(world.randomness.new_id())
    async with storage() as uow:
        await uow.availability.mark_read({})
        await uow.availability.mark_read(
            {
                (grace.user_id, BUSY.cache_key): later,
                (ada.user_id, slots().cache_key): NOON,
                (stranger, BUSY.cache_key): later,
                (ada.user_id, EVENT_TYPES.cache_key): later,
                (ada.user_id, CacheKey(slots().kind, f"{slots().key}#671")): later,
            }
        )
        await uow.commit()

    seen = {
        (owner.id, entry.cache_key): await read_at(storage, owner, entry)
        for owner in (ada, grace, alan)
        for entry in (slots(), BUSY)
    }
    assert {at: when for at, when in seen.items() if when is not None} == {
        (ada.id, slots().cache_key): NOON,
        (grace.id, BUSY.cache_key): later,
    }


async def test_only_new_reads(storage: Storage, ada: Integration) -> None:
    """A mark is written again after a quarter of an hour, or once the entry is a newer one."""
    await put(storage, ada, BUSY)
    seen = []
    for minutes in (1, 15, 16, 17, 10):
        await mark(storage, ada, BUSY, at=NOON + minutes * MINUTE)
        seen.append(await read_at(storage, ada, BUSY))
    await put(storage, ada, CacheEntry(BUSY.kind, "", b"[]", NOON + 18 * MINUTE))
    await mark(storage, ada, BUSY, at=NOON + 19 * MINUTE)

    assert seen == [NOON + each * MINUTE for each in (1, 1, 1, 17, 17)]
    assert await read_at(storage, ada, BUSY) == NOON + 19 * MINUTE


async def test_marks_stay(storage: Storage, ada: Integration) -> None:
    """A new fetch of an entry, successful or not, keeps the time of its last read."""
    await put(storage, ada, BUSY)
    await mark(storage, ada, BUSY, at=NOON)

    await put(storage, ada, BUSY)
    await mark_failed(storage, ada, failed(BUSY.kind, "", "internal"))

    assert await read_at(storage, ada, BUSY) == NOON


async def test_most_recently_read_first(storage: Storage, world: World) -> None:
    """The user whose availability was read last is synced first; users without reads are last."""
    unread, old, new, due_before = [
        await world.connect(f"user-{minutes}", connected_at=NOON + minutes * MINUTE)
        for minutes in (1, 2, 3, 0)
    ]
    for owner, at in ((old, NOON), (new, NOON + HOUR), (old, NOON + MINUTE)):
        await put(storage, owner, BUSY, EVENT_TYPES)
        await mark(storage, owner, EVENT_TYPES if at == NOON else BUSY, at=at)

    assert await claim(storage, 3) == [new.id, old.id, due_before.id]
    assert await claim(storage) == [unread.id]


async def test_late_mark(storage: Storage, world: World) -> None:
    """The later read of two marks counts, in any order of writing."""
    one, other = await world.connect("one"), await world.connect("other")
    for owner in (one, other):
        await put(storage, owner, BUSY, EVENT_TYPES)
    await mark(storage, one, BUSY, at=NOON + HOUR)
    await mark(storage, one, EVENT_TYPES, at=NOON)
    await mark(storage, other, BUSY, at=NOON + MINUTE)

    assert await claim(storage) == [one.id, other.id]
