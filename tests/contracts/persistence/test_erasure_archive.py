from datetime import timedelta
from uuid import UUID

from application.ports.storage.erasure_archive import ErasureRecord
from application.ports.storage.unit_of_work import Storage
from tests.contracts.persistence import test_user_erasing as users
from tests.contracts.persistence.test_erasing import IVY, begin, erasure, known
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON


async def test_what_is_known_is_not_added(storage: Storage) -> None:
    """Records that are stored are exported, and adding them again changes nothing."""
    await begin(storage, erasure(1), IVY)
    await users.begin(storage, 2, "ada")

    async with storage() as uow:
        archive = uow.erasure_archive
        (invitee,), (user,) = await archive.invitees(), await archive.users()
        assert await archive.add_invitees([invitee]) is None
        assert await archive.add_users([user]) == 0

    assert (invitee.id, invitee.erased_at, invitee.requested_by) == (UUID(int=1), NOON, "cli")
    assert (user.id, user.erased_at, user.requested_by) == (UUID(int=2), NOON, "cli")


async def test_only_the_last_is_unfinished(storage: Storage) -> None:
    """Of the records that are added the last one is unfinished, so one pass completes them."""
    await begin(storage, erasure(1), IVY)
    async with storage() as uow:
        (known_one,) = await uow.erasure_archive.invitees()
    new = [
        ErasureRecord(UUID(int=number), known_one.hash, NOON + timedelta(hours=number), "cli")
        for number in (2, 3)
    ]

    async with storage() as uow:
        assert await uow.erasure_archive.add_invitees([*new, known_one]) == new[-1].id
        await uow.commit()

    async with storage() as uow:
        second = await uow.erasures.find(new[0].id)
        third = await uow.erasures.find(new[1].id)
    assert (second and second.bookings, third and third.bookings) == (0, None)
    assert await known(storage, {IVY}) == {IVY: NOON + timedelta(hours=3)}


async def test_restored_users(storage: Storage, world: World) -> None:
    """A user whose erasure is on record loses the id, and is being erased."""
    await users.begin(storage, 1, "ada")
    ada, eve = await world.user("ada"), await world.user("eve")

    async with storage() as uow:
        page = await uow.erasure_archive.restored_users(0, 10)
        again = await uow.erasure_archive.restored_users(0, 10)
        await uow.commit()

    assert (list(page.users), page.after) == ([ada], None)
    assert list(again.users) == []
    assert await users.unfinished(storage) == [ada]
    assert await world.user("eve") == eve


async def test_the_code_depends_on_the_content(storage: Storage) -> None:
    """Other bytes have another code."""
    await begin(storage, erasure(1), IVY)

    async with storage() as uow:
        archive = uow.erasure_archive
        key = (await archive.keys())[0]
        await archive.add_keys([key])
        codes = [await archive.mac(key, content) for content in (b"a", b"b", b"a")]

    assert codes[0] == codes[2] != codes[1]
