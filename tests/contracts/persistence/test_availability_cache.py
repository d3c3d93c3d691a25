from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from application.ports.storage.unit_of_work import Storage
from domain.availability import Window
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.contracts.persistence.caching import (
    BUSY,
    EVENT_TYPES,
    MINUTE,
    failed,
    invalidate,
    mark_failed,
    put,
    read,
    renew,
    slots,
)
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON


async def test_reads_back(storage: Storage, world: World, ada: Integration) -> None:
    """Parts are read back as they were stored, each under its kind and key, for their user only."""
    grace = await world.connect("grace")
    one, two = slots(), slots("https://api.calendly.com/event_types/B", content=b"[2]")
    busy = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON)
    await put(storage, ada, two, busy, one)

    assert [await read(storage, ada, each) for each in (one, two, busy)] == [one, two, busy]
    async with storage() as uow:
        assert await uow.availability.read(ada.user_id, CacheKind.BUSY) == busy
        assert await uow.availability.read(ada.user_id, CacheKind.SLOTS) is None
    assert await read(storage, grace, one) is None


async def test_skipped_records_are_counted(storage: Storage, ada: Integration) -> None:
    """How many records a list lacks is stored with it, until the list is fetched again."""
    await put(storage, ada, slots(skipped=2))
    assert await read(storage, ada, slots()) == slots(skipped=2)
    await mark_failed(storage, ada, failed(CacheKind.SLOTS, slots().key, "calendar_broken"))
    assert await read(storage, ada, slots()) == slots(skipped=2, error_code="calendar_broken")

    await put(storage, ada, slots(fetched_at=NOON + MINUTE))

    assert await read(storage, ada, slots()) == slots(fetched_at=NOON + MINUTE)


async def test_newer_replaces(storage: Storage, ada: Integration) -> None:
    """A newer fetch replaces an older one, its error included; an older one changes nothing."""
    await put(storage, ada, slots(error_code="calendly_unavailable"))
    newer = slots(content=b"[new]", fetched_at=NOON + MINUTE, covers=None)
    await put(storage, ada, newer)
    await put(storage, ada, slots(content=b"[old]"))

    assert await read(storage, ada, newer) == newer


async def test_mark_failed(storage: Storage, ada: Integration) -> None:
    """A failed fetch leaves what is known of a part and says why it failed."""
    await put(storage, ada, slots())
    again = failed(CacheKind.SLOTS, slots().key, "calendly_throttled", NOON + MINUTE)

    await mark_failed(storage, ada, again)

    assert await read(storage, ada, slots()) == slots(error_code="calendly_throttled")


async def test_mark_failed_first(storage: Storage, ada: Integration) -> None:
    """A part that never came is remembered by its latest error, until it comes."""
    busy = failed(CacheKind.BUSY, "", "calendar_broken")
    await mark_failed(storage, ada, failed(CacheKind.SLOTS, slots().key, "internal"), busy)
    await mark_failed(
        storage, ada, failed(CacheKind.SLOTS, slots().key, "calendly_forbidden", NOON + MINUTE)
    )

    assert await read(storage, ada, busy) == busy
    stored = await read(storage, ada, slots())
    assert stored == failed(CacheKind.SLOTS, slots().key, "calendly_forbidden")
    came = slots(fetched_at=NOON + 2 * MINUTE)
    await put(storage, ada, came)
    assert await read(storage, ada, came) == came


async def test_mark_failed_again(storage: Storage, ada: Integration) -> None:
    """A failure says when to ask again, the latest one counts, and what comes ends it."""
    later = replace(
        failed(CacheKind.SLOTS, slots().key, "calendly_forbidden"), retry_at=NOON + 60 * MINUTE
    )
    await put(storage, ada, slots(etag='"one"'))
    await mark_failed(
        storage,
        ada,
        replace(later, error_code="calendly_throttled", retry_at=NOON + MINUTE),
    )
    await mark_failed(storage, ada, later)

    known = await read(storage, ada, later)
    assert known == slots(
        etag='"one"', error_code="calendly_forbidden", retry_at=NOON + 60 * MINUTE
    )
    async with storage() as uow:
        await uow.availability.mark_failed(ada.user_id, ada.id, [])
        await uow.commit()
    await put(storage, ada, known)
    assert await read(storage, ada, later) == slots(etag='"one"')


async def test_renew(storage: Storage, ada: Integration) -> None:
    """An entry that Calendly reported as unchanged is new, with its content and etag."""
    key, later = slots().key, NOON + 5 * MINUTE
    rolled = Window(start=later, end=later + timedelta(days=31))
    await put(storage, ada, slots(etag='"one"'), slots("other", etag='"two"'))
    await mark_failed(
        storage, ada, replace(failed(CacheKind.SLOTS, key, "internal"), retry_at=later)
    )
    await invalidate(storage, ada.user_id, at=NOON + MINUTE)

    await renew(storage, ada, slots(content=b"", etag='"one"', fetched_at=later, covers=rolled))

    assert await read(storage, ada, slots()) == slots(
        etag='"one"', fetched_at=later, covers=rolled
    )
    other = await read(storage, ada, slots("other"))
    assert other is not None
    assert (other.fetched_at, other.invalidated_by) == (NOON, "test")


@pytest.mark.parametrize(
    "stored",
    [
        slots(etag='"another"'),
        slots(etag=None),
        slots(etag='"one"', fetched_at=NOON + 6 * MINUTE),
        slots(etag='"one"', content=b""),
        slots("of another type", etag='"one"'),
    ],
    ids=["another", "unnamed", "newer", "unknown", "elsewhere"],
)
async def test_renew_what_is_not_there(
    storage: Storage, ada: Integration, stored: CacheEntry
) -> None:
    """An answer of unchanged renews only the content that it was about."""
    await put(storage, ada, stored)

    await renew(storage, ada, slots(etag='"one"', fetched_at=NOON + 5 * MINUTE))

    assert await read(storage, ada, stored) == stored


async def test_heads(storage: Storage, world: World, ada: Integration) -> None:
    """Heads tell everything of all of an integration's parts but their content."""
    grace = await world.connect("grace")
    far = slots(f"{slots().key}#671", etag='"far"')
    never = replace(failed(CacheKind.BUSY, "", "calendar_broken"), retry_at=NOON + MINUTE)
    await put(storage, ada, slots(), far, EVENT_TYPES)
    await put(storage, grace, EVENT_TYPES)
    await mark_failed(storage, ada, never)
    await invalidate(storage, ada.user_id, at=NOON, by="test")

    async with storage() as uow:
        entries = {each.cache_key: each for each in await uow.availability.entries(ada.id)}

    changes: dict[str, Any] = {
        "content": b"",
        "invalidated_at": NOON,
        "invalidated_by": "test",
    }
    assert entries == {
        slots().cache_key: slots(content_omitted=True, **changes),
        far.cache_key: replace(far, content_omitted=True, **changes),
        never.cache_key: replace(never, **changes),
        EVENT_TYPES.cache_key: replace(EVENT_TYPES, content=b"", content_omitted=True),
    }
    assert [entries[each.cache_key].has_content for each in (slots(), never)] == [True, False]


async def test_drop(storage: Storage, world: World, ada: Integration) -> None:
    """Dropped parts are gone, all others stay."""
    grace = await world.connect("grace")
    near, far = slots(), slots(f"{slots().key}#671")
    for owner in (ada, grace):
        await put(storage, owner, near, far, BUSY)
    async with storage() as uow:
        await uow.availability.drop(ada.user_id, [])
        await uow.availability.drop(
            ada.user_id, [far.cache_key, BUSY.cache_key, CacheKey(CacheKind.SLOTS, "never")]
        )
        await uow.commit()

    assert [await read(storage, ada, each) for each in (near, far, BUSY)] == [near, None, None]
    assert await read(storage, grace, far) == far


async def test_keep_only_cells(storage: Storage, ada: Integration) -> None:
    """The far cells of an event type stay and go with it."""
    kept, gone = slots("kept#671"), slots("gone#671")
    await put(storage, ada, kept, gone)
    async with storage() as uow:
        await uow.availability.keep_only(ada.user_id, CacheKind.SLOTS, ["kept"])
        await uow.commit()

    assert [await read(storage, ada, each) for each in (kept, gone)] == [kept, None]


async def test_keep_only(storage: Storage, world: World, ada: Integration) -> None:
    """Deleted event types are forgotten, other kinds and other users are left alone."""
    grace = await world.connect("grace")
    kept, gone = slots("kept"), slots("gone")
    busy = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON)
    await put(storage, ada, kept, gone, busy)
    await put(storage, grace, gone)
    async with storage() as uow:
        await uow.availability.keep_only(ada.user_id, CacheKind.SLOTS, ["kept", "never there"])
        await uow.commit()

    assert [await read(storage, ada, each) for each in (kept, gone, busy)] == [kept, None, busy]
    assert await read(storage, grace, gone) == gone

    async with storage() as uow:
        await uow.availability.keep_only(ada.user_id, CacheKind.SLOTS, [])
        await uow.commit()
    assert await read(storage, ada, kept) is None


async def test_put_after_erase(storage: Storage, world: World, ada: Integration) -> None:
    """A fetch that ends after its integration was erased stores nothing, and no failure."""
    async with storage() as uow:
        await uow.integrations.erase(ada.id)
        await uow.commit()

    await put(storage, ada, slots())
    await put(storage, replace(ada, id=IntegrationId(world.randomness.new_id())), slots())
    await mark_failed(storage, ada, failed(CacheKind.SLOTS, slots().key, "internal"))

    assert await read(storage, ada, slots()) is None
