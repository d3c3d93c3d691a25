from uuid import UUID

import pytest

from application.ports.storage.unit_of_work import Storage
from application.ports.storage.user_erasures import UserErasure
from application.ports.storage.webhook_events import NewEvent
from domain.errors import ConnectStateInvalid
from domain.ids import UserId
from domain.integration import Integration, Status
from domain.secret import Secret
from tests import samples
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

KEY = Secret("key-of-the-hashes")


def erasure(number: int) -> UserErasure:
    """Return an erasure."""
    return UserErasure(id=UUID(int=number), erased_at=NOON, requested_by="cli")


async def begin(storage: Storage, number: int, external_id: str) -> UserId | None:
    """Begin an erasure, committed."""
    async with storage() as uow:
        found = await uow.user_erasures.begin(erasure(number), external_id, KEY)
        await uow.commit()
    return found


async def finish(storage: Storage, user_id: UserId) -> bool:
    """Delete a user, committed."""
    async with storage() as uow:
        done = await uow.user_erasures.finish(user_id)
        await uow.commit()
    return done


async def unfinished(
    storage: Storage, after: UserId | None = None, limit: int = 10
) -> list[UserId]:
    """Return the users that are being erased."""
    async with storage() as uow:
        return list(await uow.user_erasures.unfinished(after, limit))


async def test_an_unknown_user(storage: Storage) -> None:
    """The erasure of an unknown user is recorded, and has nothing to delete."""
    assert await begin(storage, 1, "ada") is None
    assert await unfinished(storage) == []


async def test_the_id_is_free(storage: Storage, world: World) -> None:
    """From its commit on the id names no user, and then a new one."""
    old = await world.user("ada")
    assert await begin(storage, 1, "ada") == old
    assert await begin(storage, 2, "ada") is None

    new = await world.user("ada")

    assert new != old
    assert await unfinished(storage) == [old]
    assert await begin(storage, 3, "ada") == new
    assert await unfinished(storage) == sorted([old, new])


async def test_pages(storage: Storage, world: World) -> None:
    """Users that are being erased come in pages, each once."""
    users = sorted([await world.user(name) for name in ("ada", "bob", "eve")])
    for number, name in enumerate(("ada", "bob", "eve")):
        await begin(storage, number, name)

    assert await unfinished(storage, limit=2) == users[:2]
    assert await unfinished(storage, users[1], limit=2) == users[2:]


async def test_the_row_goes_last(storage: Storage, world: World, ada: Integration) -> None:
    """While there is an integration the user stays; then the user goes with what is left."""
    async with storage() as uow:
        event = world.webhook(user_id=ada.user_id)
        await uow.webhook_events.store([NewEvent(event)])
        await uow.commit()
    assert await begin(storage, 1, "ada") == ada.user_id
    assert not await finish(storage, ada.user_id)
    async with storage() as uow:
        await uow.integrations.erase(ada.id)
        await uow.commit()

    assert await finish(storage, ada.user_id)

    assert await unfinished(storage) == []
    assert not await finish(storage, ada.user_id)
    async with storage() as uow:
        assert await uow.webhook_archive.find(event.id) is None


async def test_only_who_is_erased(storage: Storage, world: World) -> None:
    """A user whose erasure was not asked for is never deleted."""
    bob = await world.user("bob")

    assert not await finish(storage, bob)

    assert await world.user("bob") == bob


async def test_all_are_disconnected(storage: Storage, world: World, ada: Integration) -> None:
    """All integrations of the user are disconnecting, those that already were included."""
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    second = await world.connect("ada")
    other = await world.connect("eve")

    async with storage() as uow:
        marked = await uow.integrations.mark_all_disconnecting(ada.user_id)
        await uow.commit()

    assert marked == sorted([ada.id, second.id])
    assert (await world.now(second.id)).status is Status.DISCONNECTING
    assert (await world.now(other.id)).status is Status.ACTIVE


async def test_nothing_is_connected_for_them(
    storage: Storage, world: World, ada: Integration
) -> None:
    """A user who is being erased gets no integration, new or restored."""
    await begin(storage, 1, "ada")
    bob = await world.user("bob")
    await begin(storage, 2, "bob")

    for integration in (ada, samples.integration(ada.id, bob)):
        async with storage() as uow:
            with pytest.raises(ConnectStateInvalid):
                await uow.integrations.put_connected(integration)
