from datetime import datetime, timedelta

from msgspec.structs import replace

from application.ports.availability_cache import CachedPart, Part
from application.ports.unit_of_work import Storage
from domain.availability import Window
from domain.ids import IntegrationId, UserId
from domain.integration import Integration
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)


def slots(key: str = "https://api.calendly.com/event_types/A", **changes: object) -> CachedPart:
    """Return slots as they were fetched at noon."""
    covers = Window(start=NOON, end=NOON + timedelta(days=31))
    plain = CachedPart(
        part=Part.SLOTS, key=key, content=b'["\xc3\xa4"]', fetched_at=NOON, covers=covers
    )
    return replace(plain, **changes)


async def put(storage: Storage, owner: Integration, *parts: CachedPart) -> None:
    """Store parts, committed."""
    async with storage() as uow:
        await uow.availability.put(owner.user_id, owner.id, parts)
        await uow.commit()


async def invalidate(storage: Storage, *users: UserId, at: datetime, by: str = "test") -> None:
    """Invalidate, committed."""
    async with storage() as uow:
        await uow.availability.invalidate(users, at, by=by)
        await uow.commit()


async def read(storage: Storage, owner: Integration, part: CachedPart) -> CachedPart | None:
    """Read a part."""
    async with storage() as uow:
        return await uow.availability.read(owner.user_id, part.part, part.key)


async def test_reads_back(storage: Storage, world: World, ada: Integration) -> None:
    """Parts are read back as they were stored, each under its kind and key, for their user only."""
    grace = await world.connect("grace")
    one, two = slots(), slots("https://api.calendly.com/event_types/B", content=b"[2]")
    busy = CachedPart(part=Part.BUSY, key="", content=b"[]", fetched_at=NOON)
    await put(storage, ada, two, busy, one)

    assert [await read(storage, ada, each) for each in (one, two, busy)] == [one, two, busy]
    async with storage() as uow:
        assert await uow.availability.read(ada.user_id, Part.BUSY) == busy
        assert await uow.availability.read(ada.user_id, Part.SLOTS) is None
    assert await read(storage, grace, one) is None


async def test_newer_replaces(storage: Storage, ada: Integration) -> None:
    """A newer fetch replaces an older one, its error included; an older one changes nothing."""
    await put(storage, ada, slots(error_code="calendly_unavailable"))
    newer = slots(content=b"[new]", fetched_at=NOON + MINUTE, covers=None)
    await put(storage, ada, newer)
    await put(storage, ada, slots(content=b"[old]"))

    assert await read(storage, ada, newer) == newer


async def test_invalidate(storage: Storage, world: World, ada: Integration) -> None:
    """Every part of the named users is marked with when and why, and of nobody else."""
    grace = await world.connect("grace")
    busy = CachedPart(part=Part.BUSY, key="", content=b"[]", fetched_at=NOON)
    await put(storage, ada, slots(), busy)
    await put(storage, grace, busy)
    unknown = UserId(world.entropy.new_id())

    await invalidate(storage, unknown, ada.user_id, at=NOON + MINUTE, by="invitee.created")

    for part in (slots(), busy):
        marked = replace(part, invalidated_at=NOON + MINUTE, invalidated_by="invitee.created")
        assert await read(storage, ada, part) == marked
    assert await read(storage, grace, busy) == busy


async def test_invalidate_makes_due(storage: Storage, ada: Integration) -> None:
    """An invalidation makes the user's sync due."""
    async with storage() as uow:
        await uow.sync_queue.take(ada.id, "job", NOON, NOON + MINUTE)
        await uow.sync_queue.finish(
            ada.id, "job", synced_at=NOON, due_at=NOON + timedelta(hours=1)
        )
        await uow.commit()

    await invalidate(storage, ada.user_id, at=NOON + MINUTE)

    async with storage() as uow:
        due = await uow.sync_queue.claim_due("job", NOON + MINUTE, NOON + 2 * MINUTE, 5)
    assert [each.id for each in due] == [ada.id]


async def test_fetch_ends_invalidation(storage: Storage, ada: Integration) -> None:
    """What was fetched after an invalidation is no longer overtaken."""
    await put(storage, ada, slots())
    await invalidate(storage, ada.user_id, at=NOON + MINUTE)
    later = slots(fetched_at=NOON + 2 * MINUTE)
    await put(storage, ada, later)

    assert await read(storage, ada, later) == later


async def test_invalidated_during_fetch(storage: Storage, ada: Integration) -> None:
    """A change during a fetch counts as a change after it, for a first fetch too."""
    await put(storage, ada, slots())
    await invalidate(storage, ada.user_id, at=NOON + 2 * MINUTE)
    refetched = slots(fetched_at=NOON + MINUTE)
    first = slots("https://api.calendly.com/event_types/NEW", fetched_at=NOON + 2 * MINUTE)

    await put(storage, ada, refetched, first)

    for part in (refetched, first):
        stored = await read(storage, ada, part)
        assert stored is not None
        assert stored.invalidated_at == NOON + 2 * MINUTE


async def test_late_invalidation(storage: Storage, ada: Integration) -> None:
    """Of two invalidations the later one stays, in whatever order they arrive."""
    await put(storage, ada, slots())
    await invalidate(storage, ada.user_id, at=NOON + 2 * MINUTE, by="later")
    await invalidate(storage, ada.user_id, at=NOON + MINUTE, by="earlier")

    stored = await read(storage, ada, slots())
    assert stored == slots(invalidated_at=NOON + 2 * MINUTE, invalidated_by="later")


def failed(part: Part, key: str, code: str, at: datetime = NOON) -> CachedPart:
    """Return what stands for a part that could not be fetched."""
    return CachedPart(part=part, key=key, content=b"", fetched_at=at, error_code=code)


async def mark_failed(storage: Storage, owner: Integration, *parts: CachedPart) -> None:
    """Mark parts as failed, committed."""
    async with storage() as uow:
        await uow.availability.mark_failed(owner.user_id, owner.id, parts)
        await uow.commit()


async def test_mark_failed(storage: Storage, ada: Integration) -> None:
    """A failed fetch leaves what is known of a part and says why it failed."""
    await put(storage, ada, slots())
    again = failed(Part.SLOTS, slots().key, "calendly_throttled", NOON + MINUTE)

    await mark_failed(storage, ada, again)

    assert await read(storage, ada, slots()) == slots(error_code="calendly_throttled")


async def test_mark_failed_first(storage: Storage, ada: Integration) -> None:
    """A part that never came is remembered by its latest error, until it comes."""
    busy = failed(Part.BUSY, "", "calendar_broken")
    await mark_failed(storage, ada, failed(Part.SLOTS, slots().key, "internal"), busy)
    await mark_failed(
        storage, ada, failed(Part.SLOTS, slots().key, "calendly_forbidden", NOON + MINUTE)
    )

    assert await read(storage, ada, busy) == busy
    stored = await read(storage, ada, slots())
    assert stored == failed(Part.SLOTS, slots().key, "calendly_forbidden")
    came = slots(fetched_at=NOON + 2 * MINUTE)
    await put(storage, ada, came)
    assert await read(storage, ada, came) == came


async def test_keep_only(storage: Storage, world: World, ada: Integration) -> None:
    """Deleted event types are forgotten, other kinds and other users are left alone."""
    grace = await world.connect("grace")
    kept, gone = slots("kept"), slots("gone")
    busy = CachedPart(part=Part.BUSY, key="", content=b"[]", fetched_at=NOON)
    await put(storage, ada, kept, gone, busy)
    await put(storage, grace, gone)
    async with storage() as uow:
        await uow.availability.keep_only(ada.user_id, Part.SLOTS, ["kept", "never there"])
        await uow.commit()

    assert [await read(storage, ada, each) for each in (kept, gone, busy)] == [kept, None, busy]
    assert await read(storage, grace, gone) == gone

    async with storage() as uow:
        await uow.availability.keep_only(ada.user_id, Part.SLOTS, [])
        await uow.commit()
    assert await read(storage, ada, kept) is None


async def test_put_after_erase(storage: Storage, world: World, ada: Integration) -> None:
    """A fetch that ends after its integration was erased stores nothing, and no failure."""
    async with storage() as uow:
        await uow.integrations.erase(ada.id)
        await uow.commit()

    await put(storage, ada, slots())
    await put(storage, replace(ada, id=IntegrationId(world.entropy.new_id())), slots())
    await mark_failed(storage, ada, failed(Part.SLOTS, slots().key, "internal"))

    assert await read(storage, ada, slots()) is None
