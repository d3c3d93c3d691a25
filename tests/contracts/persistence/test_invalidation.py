from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from application.ports.storage.availability_cache import CacheEntry, CacheKind, Change, Scope
from application.ports.storage.unit_of_work import Storage
from domain.cache_policy import SETTLING
from domain.ids import UserId
from domain.integration import Integration
from tests.contracts.persistence.caching import (
    BUSY,
    EVENT_TYPES,
    MINUTE,
    SCHEDULES,
    invalidate,
    invalidations,
    mark_failed,
    put,
    read,
    slots,
)
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON


async def test_invalidate(storage: Storage, world: World, ada: Integration) -> None:
    """A booking marks entries with time and reason, for the named users only."""
    grace = await world.connect("grace")
    busy = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON)
    await put(storage, ada, slots(), busy)
    await put(storage, grace, busy)
    unknown = UserId(world.randomness.new_id())

    await invalidate(storage, unknown, ada.user_id, at=NOON + MINUTE, by="invitee.created")

    for entry in (slots(), busy):
        marked = replace(entry, invalidated_at=NOON + MINUTE, invalidated_by="invitee.created")
        assert await read(storage, ada, entry) == marked
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
    """An entry that was fetched after an invalidation is not invalidated."""
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

    for entry in (refetched, first):
        stored = await read(storage, ada, entry)
        assert stored is not None
        assert stored.invalidated_at == NOON + 2 * MINUTE


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (None, {CacheKind.SLOTS, CacheKind.BUSY}),
        (Scope.BOOKINGS, {CacheKind.SLOTS, CacheKind.BUSY}),
        (Scope.EVENT_TYPES, {CacheKind.SLOTS, CacheKind.EVENT_TYPES, CacheKind.SCHEDULES}),
        (Scope.EVERYTHING, set(CacheKind)),
    ],
)
async def test_scopes(
    storage: Storage, ada: Integration, scope: Scope | None, expected: set[CacheKind]
) -> None:
    """A change invalidates the entries that it may affect, and no others."""
    await put(storage, ada, slots(), BUSY, EVENT_TYPES, SCHEDULES)

    await invalidate(storage, ada.user_id, at=NOON, scope=scope)

    assert set(await invalidations(storage, ada)) == expected


@pytest.mark.parametrize("scope", [None, *Scope])
async def test_invalidating_everything_removes_failures(
    storage: Storage, world: World, ada: Integration, scope: Scope | None
) -> None:
    """An invalidation of everything ends each backoff; no other change does."""
    grace = await world.connect("grace")
    rest: dict[str, Any] = {"error_code": "calendly_forbidden", "retry_at": NOON + 60 * MINUTE}
    busy = replace(BUSY, content=b"")
    for owner in (ada, grace):
        await put(storage, owner, slots(), EVENT_TYPES)
        await mark_failed(storage, owner, slots(**rest), replace(busy, **rest))

    await invalidate(storage, ada.user_id, at=NOON - MINUTE, scope=scope)

    kept: dict[str, Any] = {} if scope is Scope.EVERYTHING else rest
    assert await read(storage, ada, BUSY) == replace(busy, **kept)
    assert await read(storage, ada, slots()) == slots(**kept)
    assert await read(storage, ada, EVENT_TYPES) == EVENT_TYPES
    assert await read(storage, grace, slots()) == slots(**rest)


async def test_each_in_its_scope(storage: Storage, world: World, ada: Integration) -> None:
    """Changes of several users are written together, each with reasons of its own."""
    grace, alan = await world.connect("grace"), await world.connect("alan")
    for owner in (ada, grace, alan):
        await put(storage, owner, slots(), BUSY, EVENT_TYPES)
    changed = {
        ada.user_id: Change("invitee.canceled", "event_type.updated"),
        grace.user_id: Change.of("invitee.created"),
    }
    async with storage() as uow:
        await uow.availability.invalidate_each(changed, NOON)
        await uow.commit()

    assert await invalidations(storage, ada) == {
        CacheKind.SLOTS: "invitee.canceled",
        CacheKind.BUSY: "invitee.canceled",
        CacheKind.EVENT_TYPES: "event_type.updated",
    }
    assert await invalidations(storage, grace) == dict.fromkeys(
        (CacheKind.SLOTS, CacheKind.BUSY), "invitee.created"
    )
    assert await invalidations(storage, alan) == {}


async def test_latest_of_both(storage: Storage, ada: Integration) -> None:
    """Slots are invalidated by the later one of a booking's change and an event type's."""
    await put(storage, ada, slots(), BUSY, EVENT_TYPES)
    await invalidate(storage, ada.user_id, at=NOON + 2 * MINUTE, by="booked")
    await invalidate(storage, ada.user_id, at=NOON + MINUTE, by="renamed", scope=Scope.EVENT_TYPES)
    before = await invalidations(storage, ada)
    await put(storage, ada, slots(fetched_at=NOON + 3 * MINUTE))
    await invalidate(
        storage, ada.user_id, at=NOON + 4 * MINUTE, by="deleted", scope=Scope.EVENT_TYPES
    )

    assert before == {
        CacheKind.SLOTS: "booked",
        CacheKind.BUSY: "booked",
        CacheKind.EVENT_TYPES: "renamed",
    }
    assert await invalidations(storage, ada) == {
        CacheKind.SLOTS: "deleted",
        CacheKind.BUSY: "booked",
        CacheKind.EVENT_TYPES: "deleted",
    }


async def test_late_invalidation(storage: Storage, ada: Integration) -> None:
    """Of two invalidations the later one stays, in whatever order they arrive."""
    await put(storage, ada, slots())
    await invalidate(storage, ada.user_id, at=NOON + 2 * MINUTE, by="later")
    await invalidate(storage, ada.user_id, at=NOON + MINUTE, by="earlier")

    stored = await read(storage, ada, slots())
    assert stored == slots(invalidated_at=NOON + 2 * MINUTE, invalidated_by="later")


@pytest.mark.parametrize("scope", [Scope.BOOKINGS, Scope.EVENT_TYPES])
async def test_by_a_clock_that_is_slow(storage: Storage, ada: Integration, scope: Scope) -> None:
    """A change invalidates earlier entries, even if its own clock is slow."""
    await sync(storage, ada, slots(fetched_at=NOON + MINUTE), at=NOON + 2 * MINUTE)

    await invalidate(storage, ada.user_id, at=NOON, by="changed", scope=scope)

    stored = await read(storage, ada, slots())
    assert stored is not None
    assert (stored.invalidated_at, stored.invalidated_by) == (NOON + 2 * MINUTE, "changed")


@pytest.mark.parametrize("synced", [True, False])
async def test_during_a_fetch_by_a_clock_that_is_slow(
    storage: Storage, ada: Integration, synced: bool
) -> None:
    """An entry fetched during a change is invalidated, even if the change seems to be earlier."""
    if synced:
        await sync(storage, ada, slots(), at=NOON)
    fetched = slots(fetched_at=NOON + 10 * MINUTE)

    await sync(storage, ada, fetched, at=NOON + 11 * MINUTE, meanwhile=NOON + MINUTE)

    stored = await read(storage, ada, slots())
    assert stored is not None
    assert (stored.fetched_at, stored.invalidated_by) == (NOON + 10 * MINUTE, "changed")
    assert stored.invalidated_at == NOON + 11 * MINUTE


async def test_a_change_that_was_known_is_not_renewed(storage: Storage, ada: Integration) -> None:
    """A change during a fetch invalidates the entries it may affect, unlike an earlier change."""
    await invalidate(storage, ada.user_id, at=NOON, by="renamed", scope=Scope.EVENT_TYPES)
    types = replace(EVENT_TYPES, fetched_at=NOON + MINUTE)
    await sync(storage, ada, types, at=NOON + 2 * MINUTE)
    again = replace(types, fetched_at=NOON + 10 * MINUTE)
    busy = replace(BUSY, fetched_at=NOON + 10 * MINUTE)

    await sync(storage, ada, again, busy, at=NOON + 11 * MINUTE, meanwhile=NOON + 3 * MINUTE)

    assert await invalidations(storage, ada) == {CacheKind.BUSY: "changed"}


async def sync(
    storage: Storage,
    integration: Integration,
    *entries: CacheEntry,
    at: datetime,
    meanwhile: datetime | None = None,
) -> None:
    """Take the right, let something change if it is to, and store as a sync does."""
    async with storage() as uow:
        assert await uow.sync_queue.take(integration.id, "job", NOON, NOON + 2 * MINUTE)
        await uow.commit()
    if meanwhile is not None:
        await invalidate(storage, integration.user_id, at=meanwhile, by="changed")
    async with storage() as uow:
        queue = uow.sync_queue
        assert await queue.finish(integration.id, "job", synced_at=at, due_at=at)
        await uow.availability.put(integration.user_id, integration.id, entries)
        await uow.commit()


async def test_an_entry_fetched_just_after_a_change_settles(
    storage: Storage, ada: Integration
) -> None:
    """An entry says when Calendly's lists show the change, if it was fetched before that."""
    await invalidate(storage, ada.user_id, at=NOON)
    soon = slots(fetched_at=NOON + MINUTE / 2)
    later = slots(f"{soon.key}-2", fetched_at=NOON + SETTLING)
    await put(storage, ada, soon, later)

    assert await read(storage, ada, soon) == replace(soon, settles_at=NOON + SETTLING)
    assert await read(storage, ada, later) == later
