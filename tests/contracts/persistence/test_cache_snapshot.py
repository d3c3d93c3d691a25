from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from application.ports.storage.availability_cache import (
    WEBHOOK_PENDING,
    CacheKey,
    CacheSnapshot,
    Scope,
)
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.availability import Occupied, Window
from domain.booking import BookingStatus, Facts
from domain.ids import UserId
from domain.integration import Cause, Integration, Status, needs_person, refreshed
from tests import samples
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
from tests.refresh_records import finish

DAY = timedelta(days=1)
INTRO = samples.details().event_type_uri
TODAY = Window(start=NOON, end=NOON + DAY)


async def snapshot(
    storage: Storage, user_id: UserId, *wanted: CacheKey, occupied_in: Window | None = None
) -> CacheSnapshot | None:
    """Look up a snapshot."""
    return await storage.cache_lookup().read(user_id, wanted, occupied_in=occupied_in)


async def version(storage: Storage, owner: Integration) -> int:
    """Return the version of a user's availability."""
    found = await snapshot(storage, owner.user_id)
    assert found is not None
    return found.version


async def test_snapshot(storage: Storage, world: World, ada: Integration) -> None:
    """A look finds the integration and those of the wanted entries that are there, as read."""
    grace = await world.connect("grace")
    far = slots(f"{slots().key}#671", etag='"far"')
    never = failed(slots().kind, "never", "internal")
    await put(storage, ada, slots(), far, BUSY, EVENT_TYPES)
    await put(storage, grace, slots(content=b"[grace's]"))
    await mark_failed(storage, ada, never)
    await invalidate(storage, ada.user_id, at=NOON, by="booked")

    wanted = (
        slots().cache_key,
        EVENT_TYPES.cache_key,
        far.cache_key,
        never.cache_key,
        slots("absent").cache_key,
        slots().cache_key,
    )
    found = await snapshot(storage, ada.user_id, *wanted)

    invalidations: dict[str, Any] = {"invalidated_at": NOON, "invalidated_by": "booked"}
    expected = [replace(each, **invalidations) for each in (slots(), far, never)]
    assert found is not None
    assert found.integration == ada
    assert found.entries == {each.cache_key: each for each in (*expected, EVENT_TYPES)}
    assert found.occupied == ()


async def test_no_keys(storage: Storage, ada: Integration) -> None:
    """A look at nothing finds the integration alone."""
    found = await snapshot(storage, ada.user_id)

    assert found is not None
    assert (found.integration, found.entries, found.occupied) == (ada, {}, ())


async def test_no_integration(storage: Storage, world: World, ada: Integration) -> None:
    """Without an integration that stays there is nothing to look at."""
    alone = await world.user("alone")
    await put(storage, ada, BUSY)
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()

    for user_id in (alone, ada.user_id, UserId(world.randomness.new_id())):
        assert await snapshot(storage, user_id, BUSY.cache_key, occupied_in=TODAY) is None


async def test_snapshot_without_a_grant(storage: Storage, world: World) -> None:
    """The cache of a user whose grant is gone can still be read."""
    dead = await world.connect("dead", status=Status.REAUTH_REQUIRED, tokens=None)
    await put(storage, dead, BUSY)

    assert (await snapshot(storage, dead.user_id, BUSY.cache_key)) == CacheSnapshot(
        dead, 1, {BUSY.cache_key: BUSY}
    )


async def test_snapshot_of_the_successor(storage: Storage, world: World, ada: Integration) -> None:
    """Of an account that another one has replaced neither entries nor bookings are shown."""
    await world.book(ada, samples.facts("A"))
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    await put(storage, ada, BUSY)
    successor = await world.connect("ada")

    found = await snapshot(
        storage, ada.user_id, BUSY.cache_key, occupied_in=Window(NOON, NOON + 9 * DAY)
    )

    assert found == CacheSnapshot(successor, 0, {})


async def leave(storage: Storage, event: WebhookEvent) -> None:
    """Store a webhook unapplied."""
    async with storage() as uow:
        await uow.webhook_events.store([NewEvent(event)])
        await uow.commit()


async def test_what_waits_to_be_applied(storage: Storage, world: World, ada: Integration) -> None:
    """A webhook that is not applied yet invalidates the times that were fetched before it."""
    grace = await world.connect("grace")
    after = slots("later", fetched_at=NOON + 3 * MINUTE)
    for owner in (ada, grace):
        await put(storage, owner, slots(), BUSY, EVENT_TYPES, after)
    latest = world.webhook(user_id=ada.user_id, received_at=NOON + 2 * MINUTE)
    await leave(storage, latest)
    await leave(storage, world.webhook(user_id=ada.user_id, received_at=NOON + MINUTE))
    wanted = (slots().cache_key, BUSY.cache_key, EVENT_TYPES.cache_key, after.cache_key)

    found = await snapshot(storage, ada.user_id, *wanted)
    others = await snapshot(storage, grace.user_id, *wanted)
    async with storage() as uow:
        entries = await uow.availability.entries(ada.id)
        alone = await uow.availability.read(ada.user_id, BUSY.kind)

    pending: dict[str, Any] = {
        "invalidated_at": latest.received_at,
        "invalidated_by": WEBHOOK_PENDING,
    }
    seen = [replace(slots(), **pending), replace(BUSY, **pending), EVENT_TYPES, after]
    assert found is not None
    assert found.entries == {each.cache_key: each for each in seen}
    assert others is not None
    assert {each.invalidated_at for each in others.entries.values()} == {None}
    assert {each.cache_key: each.invalidated_at for each in entries} == {
        each.cache_key: each.invalidated_at for each in seen
    }
    assert alone == replace(BUSY, **pending)


@pytest.mark.parametrize("earlier", [True, False])
async def test_the_later_change_is_the_reason(
    storage: Storage, world: World, ada: Integration, earlier: bool
) -> None:
    """The later one of an applied change and a pending one is the reason of invalidation."""
    await put(storage, ada, BUSY)
    await invalidate(storage, ada.user_id, at=NOON + 2 * MINUTE, by="booked")
    came = NOON + (1 if earlier else 3) * MINUTE
    await leave(storage, world.webhook(user_id=ada.user_id, received_at=came))

    found = await snapshot(storage, ada.user_id, BUSY.cache_key)

    assert found is not None
    assert found.entries[BUSY.cache_key].invalidated_by == (
        "booked" if earlier else WEBHOOK_PENDING
    )


def facts(name: str, start: datetime, status: BookingStatus = BookingStatus.BOOKED) -> Facts:
    """Return what is known of an invitee of a half-hour meeting."""
    return samples.facts(name, status=status, details=samples.details(start))


async def test_occupied(storage: Storage, world: World, ada: Integration) -> None:
    """Occupied are the times of active bookings in the requested span, each once, in order."""
    grace = await world.connect("grace")

    late, early = NOON + 9 * 60 * MINUTE, NOON + 60 * MINUTE
    await world.book(
        ada,
        samples.facts("late", details=samples.details(late, event_type_uri=None)),
        facts("early", early),
        facts("seat", early),
        facts("reaching in", NOON - 20 * MINUTE),
        facts("ends before", NOON - 30 * MINUTE),
        facts("starts after", NOON + DAY),
        facts("canceled", late + 60 * MINUTE, BookingStatus.CANCELED),
    )
    await world.book(grace, facts("another's", early + 90 * MINUTE))

    found = await snapshot(storage, ada.user_id, BUSY.cache_key, occupied_in=TODAY)
    unasked = await snapshot(storage, ada.user_id, BUSY.cache_key)

    half = timedelta(minutes=30)
    assert found is not None
    assert found.occupied == (
        Occupied(Window(NOON - 20 * MINUTE, NOON + 10 * MINUTE), INTRO),
        Occupied(Window(early, early + half), INTRO),
        Occupied(Window(late, late + half)),
    )
    assert unasked is not None
    assert unasked.occupied == ()


async def test_occupied_by_another(storage: Storage, world: World, ada: Integration) -> None:
    """A host that no longer hosts a meeting is not occupied by it; a co-host is."""
    uri, other = ada.account.user_uri, f"{samples.CALENDLY}/users/OTHER"
    hosts = {"MINE": (uri,), "OURS": (other, uri), "THEIRS": (other,), "UNTOLD": ()}
    starts = {name: NOON + number * 60 * MINUTE for number, name in enumerate(hosts, start=1)}
    await world.book(
        ada,
        *(
            samples.facts(name, details=samples.details(starts[name], host_uris=whose))
            for name, whose in hosts.items()
        ),
    )

    found = await snapshot(storage, ada.user_id, occupied_in=TODAY)

    assert found is not None
    begins = [each.window.start for each in found.occupied]
    assert begins == [starts[name] for name in ("MINE", "OURS", "UNTOLD")]


@pytest.mark.parametrize("scope", list(Scope))
async def test_version_of_a_change(storage: Storage, ada: Integration, scope: Scope) -> None:
    """Every invalidation is a new version, a late one too."""
    seen = [await version(storage, ada)]
    for at in (NOON, NOON - MINUTE):
        await invalidate(storage, ada.user_id, at=at, scope=scope)
        seen.append(await version(storage, ada))

    assert seen == sorted(set(seen))


async def test_version_of_a_fetch(storage: Storage, world: World, ada: Integration) -> None:
    """A stored fetch raises the version, and so does a stored failure, for its user only."""
    grace = await world.connect("grace")
    before = await version(storage, grace)
    seen = [await version(storage, ada)]
    entry = slots(etag='"one"')
    for write in (put, renew, mark_failed):
        await write(storage, ada, replace(entry, error_code="internal"))
        seen.append(await version(storage, ada))

    assert seen == sorted(set(seen))
    assert await version(storage, grace) == before


async def test_version_of_one_more_failure(storage: Storage, ada: Integration) -> None:
    """The same failure again does not raise the version; another entry or reason does."""
    first, other = slots(error_code="calendly_unavailable"), replace(BUSY, error_code="internal")
    await mark_failed(storage, ada, first)
    seen = [await version(storage, ada)]
    again = [replace(first, retry_at=NOON + MINUTE)]
    for written in (again, [*again, other], [replace(first, error_code="internal"), other]):
        await mark_failed(storage, ada, *written)
        seen.append(await version(storage, ada))

    assert [each - seen[0] for each in seen] == [0, 0, 1, 2]
    assert await read(storage, ada, first) == replace(first, error_code="internal")


async def test_version_of_nothing(storage: Storage, ada: Integration) -> None:
    """Looking, reading and a fetch without result make no new version."""
    await put(storage, ada, BUSY)
    before = await version(storage, ada)
    await put(storage, ada)
    await renew(storage, ada)
    await invalidate(storage, at=NOON)
    async with storage() as uow:
        await uow.availability.mark_read({(ada.user_id, BUSY.cache_key): NOON})
        await uow.sync_queue.take(ada.id, "me", NOON, NOON + MINUTE)
        await uow.sync_queue.finish(ada.id, "me", synced_at=NOON, due_at=NOON + DAY)
        await uow.commit()

    assert await version(storage, ada) == before


async def test_version_of_a_reconnect(storage: Storage, world: World, ada: Integration) -> None:
    """Connecting again is a new version."""
    before = await version(storage, ada)

    await world.connect("ada")

    assert await version(storage, ada) > before


async def test_version_of_a_grant(storage: Storage, ada: Integration) -> None:
    """Losing the grant is a new version, renewing it is none."""
    renewed = refreshed(ada, samples.tokens(version=2), NOON)
    seen = [await version(storage, ada)]
    for outcome, expected in (
        (renewed, 1),
        (needs_person(renewed, Cause.GRANT_REFUSED, NOON, code="grant_refused"), 2),
    ):
        async with storage() as uow:
            taken = await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE)
            assert taken is not None
            await finish(uow, outcome, taken[1], expected_version=expected, next_attempt_at=None)
            await uow.commit()
        seen.append(await version(storage, ada))

    assert seen == [seen[0], seen[0], seen[0] + 1]
