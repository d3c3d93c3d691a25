import asyncio

import pytest

from application.ports.storage.unit_of_work import Storage
from domain.ids import UserId
from domain.integration import Integration
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON


async def is_known(storage: Storage, world: World, external_id: str) -> bool:
    """Whether a user was stored."""
    async with storage() as uow:
        new = UserId(world.randomness.new_id())
        return await uow.users.ensure(external_id, new, NOON) != new


async def test_commit(storage: Storage, world: World) -> None:
    """The next unit of work reads committed changes."""
    async with storage() as uow:
        await uow.users.ensure("ada", UserId(world.randomness.new_id()), NOON)
        await uow.commit()

    assert await is_known(storage, world, "ada")


async def test_leaving_rolls_back(storage: Storage, world: World) -> None:
    """Uncommitted changes never happened."""
    async with storage() as uow:
        await uow.users.ensure("ada", UserId(world.randomness.new_id()), NOON)

    assert not await is_known(storage, world, "ada")


async def test_error_rolls_back(storage: Storage, world: World) -> None:
    """An error leaves the block as it is and undoes everything in it."""

    async def fail() -> None:
        async with storage() as uow:
            await uow.users.ensure("ada", UserId(world.randomness.new_id()), NOON)
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()

    assert not await is_known(storage, world, "ada")


async def test_cancelled(storage: Storage, world: World) -> None:
    """A cancelled unit of work is rolled back, and the next one works."""
    entered = asyncio.Event()

    async def wait_inside() -> None:
        async with storage() as uow:
            await uow.users.ensure("ada", UserId(world.randomness.new_id()), NOON)
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait_inside())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not await is_known(storage, world, "ada")


async def test_sees_itself(storage: Storage, ada: Integration) -> None:
    """A unit of work sees its own changes before they are committed."""
    async with storage() as uow:
        await uow.integrations.put_reconciled(ada.id, NOON)
        found = await uow.integrations.get(ada.id)

    assert found is not None
    assert found.reconciled_at == NOON


async def test_over_after_commit(storage: Storage, world: World) -> None:
    """After its commit a unit of work can neither read nor write."""
    async with storage() as uow:
        await uow.commit()
        with pytest.raises(RuntimeError, match="unit of work"):
            await uow.users.ensure("ada", UserId(world.randomness.new_id()), NOON)
        with pytest.raises(RuntimeError, match="unit of work"):
            await uow.api_keys.all()

    assert not await is_known(storage, world, "ada")


async def test_never_nested(storage: Storage) -> None:
    """A unit of work within another is a mistake that is refused, not a second transaction."""
    async with storage():
        with pytest.raises(Exception, match=r"(?i)already"):
            async with storage():
                pass
