"""A batch of several integrations' deliveries in one transaction."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.ports.storage.availability_cache import CacheEntry, CacheKind, Change
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import WebhookStatus
from application.ports.storage.webhook_events import NewEvent
from domain.ids import IntegrationId
from domain.integration import Integration
from tests import samples
from tests.contracts.persistence.test_webhook_events import claim, event, statuses, store
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def bob(world: World) -> Integration:
    """Another user's integration, made after Ada's."""
    return await world.connect("bob")


def owner(integration: Integration) -> Owner:
    """Return an integration as its bookings know it."""
    return Owner(
        id=integration.id,
        user_id=integration.user_id,
        account_uri=integration.account.user_uri,
    )


async def test_held(storage: Storage, world: World, ada: Integration, bob: Integration) -> None:
    """The owners that ids and accounts name are locked by ascending id, each once, and no others."""
    await world.connect("cyd")
    unknown = IntegrationId(world.randomness.new_id())

    async with storage() as uow:
        assert await uow.bookings.lock(
            [bob.id, ada.id, unknown], [ada.account.user_uri, "nobody"]
        ) == [owner(ada), owner(bob)]
        assert await uow.bookings.lock([], [bob.account.user_uri]) == [owner(bob)]
        assert list(await uow.bookings.lock([], [])) == []


async def test_related_by_integration(
    storage: Storage, world: World, ada: Integration, bob: Integration
) -> None:
    """Each integration's rows are its own: the named ones and those that name one of them."""
    uri = samples.invitee_uri
    named, before, after, _ = await world.book(
        ada,
        samples.facts("N"),
        samples.facts("P", successor=uri("N")),
        samples.facts("S", predecessor=uri("ABSENT")),
        samples.facts("X"),
    )
    (his,) = await world.book(bob, samples.facts("X"))
    wanted = {ada.id: [uri("N"), uri("ABSENT")], bob.id: [uri("X"), uri("N")]}

    async with storage() as uow:
        await uow.bookings.lock(list(wanted), [])
        found = await uow.bookings.related(wanted, {})

    assert found == {
        ada.id: {each.facts.invitee_uri: each for each in (named, before, after)},
        bob.id: {uri("X"): his},
    }


async def test_related_of_unknown_invitees(storage: Storage, ada: Integration) -> None:
    """Where nothing is known nothing is found."""
    async with storage() as uow:
        assert await uow.bookings.related({ada.id: ["nobody"]}, {}) == {ada.id: {}}
        assert await uow.bookings.related({}, {}) == {}


async def test_put_of_several(
    storage: Storage, world: World, ada: Integration, bob: Integration
) -> None:
    """Bookings of several integrations are stored together, also one invitee of two integrations."""
    seats = [samples.booking(each, world.randomness, samples.facts("A")) for each in (bob, ada)]

    async with storage() as uow:
        await uow.bookings.put(seats)
        await uow.commit()

    async with storage() as uow:
        assert await uow.bookings.find(bob.user_id, seats[0].id) == seats[0]
        assert await uow.bookings.find(ada.user_id, seats[1].id) == seats[1]


async def test_filed(storage: Storage, world: World, ada: Integration) -> None:
    """Events are stored with their status, and only pending events are claimed."""
    waiting = event(world, "c", integration_id=ada.id, user_id=ada.user_id, body=bytes(range(256)))
    filed = [
        NewEvent(waiting),
        NewEvent(
            event(world, "a", integration_id=ada.id, user_id=ada.user_id),
            WebhookStatus.APPLIED,
            settled_at=NOON,
        ),
        NewEvent(event(world, "b"), WebhookStatus.IGNORED, "nobodys_event", NOON),
    ]

    async with storage() as uow:
        assert set(await uow.webhook_events.store(filed)) == {"a", "b", "c"}
        await uow.commit()

    assert await statuses(storage) == {"a": "applied", "b": "ignored", "c": "pending"}
    assert await claim(storage) == [waiting]


async def test_filed_once(storage: Storage, world: World) -> None:
    """Events with known keys are not stored and change nothing; only new keys are returned."""
    first = event(world, "known")
    await store(storage, first)
    filed = [
        NewEvent(event(world, "new"), WebhookStatus.APPLIED, settled_at=NOON),
        NewEvent(event(world, "known", body=b"second"), WebhookStatus.APPLIED, settled_at=NOON),
    ]

    async with storage() as uow:
        assert set(await uow.webhook_events.store(filed)) == {"new"}
        assert not await uow.webhook_events.store([])
        await uow.commit()

    assert await statuses(storage) == {"known": "pending", "new": "applied"}
    assert await claim(storage) == [first]


async def test_filed_of_the_gone(storage: Storage, world: World) -> None:
    """An event of an integration that is gone is stored, without it."""
    orphan = event(world, "one", integration_id=IntegrationId(world.randomness.new_id()))

    async with storage() as uow:
        await uow.webhook_events.store([NewEvent(orphan)])
        await uow.commit()

    assert await claim(storage) == [replace(orphan, integration_id=None)]


async def test_invalidated_each(
    storage: Storage, world: World, ada: Integration, bob: Integration
) -> None:
    """Each user's cache is invalidated for its own reason; other users' caches are not."""
    cyd = await world.connect("cyd")
    part = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON - MINUTE)
    changed = {bob.user_id: "invitee.created", ada.user_id: "invitee.canceled"}
    async with storage() as uow:
        for each in (ada, bob, cyd):
            await uow.availability.put(each.user_id, each.id, [part])
        changes = {user_id: Change.of(kind) for user_id, kind in changed.items()}
        await uow.availability.invalidate_each(changes, NOON)
        await uow.availability.invalidate_each({}, NOON)
        await uow.commit()

    found = {}
    async with storage() as uow:
        for each in (ada, bob, cyd):
            read = await uow.availability.read(each.user_id, CacheKind.BUSY)
            assert read is not None
            found[each.user_id] = read.invalidated_by
    assert found == changed | {cyd.user_id: None}
