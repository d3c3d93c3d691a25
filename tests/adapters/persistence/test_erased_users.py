"""A user's erasure beside other transactions of the real store."""

import asyncio
from contextvars import copy_context

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage
from application.ports.storage.user_erasures import UserErasure
from domain.audit import Actor
from domain.errors import ConnectStateInvalid
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, Status
from domain.secret import Secret
from tests import samples
from tests.application.support.building import Product
from tests.application.support.process import Process
from tests.contracts.persistence.world import World

CLI = Actor("cli")

ADA = "ada"
KEY = Secret("key-of-the-hashes")
HELD = 0.3  # seconds for which a transaction that waits is watched


@pytest.fixture
def process(piccolo_storage: PiccoloStorage) -> Process:
    """A process over the real store."""
    product = Product()
    product.storage = piccolo_storage  # type: ignore[assignment]
    return Process(product, "process-1")


def account_of(world: World, user_id: UserId) -> Integration:
    """Return an integration that a callback is about to store."""
    return samples.integration(IntegrationId(world.randomness.new_id()), user_id)


async def test_an_account_that_was_stored_first(
    piccolo_storage: PiccoloStorage, world: World, process: Process
) -> None:
    """An erasure waits for a callback that is storing an account, and disconnects that account."""
    user_id = await world.user(ADA)
    connected = account_of(world, user_id)
    outside = copy_context()
    async with piccolo_storage() as uow:
        await uow.integrations.for_user(user_id, lock=True)
        await uow.integrations.put_connected(connected)
        erasing = asyncio.create_task(process.erase_user(ADA, CLI), context=outside)
        _, pending = await asyncio.wait({erasing}, timeout=HELD)
        assert pending == {erasing}
        await uow.commit()
    await erasing

    assert (await world.now(connected.id)).status is Status.DISCONNECTING
    assert process.jobs.started == [f"integration/{connected.id}/disconnect"]


async def test_an_account_that_comes_later(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """A callback that waits for an erasure stores nothing, whether the user is left or gone."""
    eve, outside = await world.connect("eve"), copy_context()
    for external_id, user_id in ((ADA, await world.user(ADA)), ("eve", eve.user_id)):
        async with piccolo_storage() as uow:
            erasure = UserErasure(world.randomness.new_id(), world.clock.now(), "cli")
            await uow.user_erasures.begin(erasure, external_id, KEY)
            store = _store(piccolo_storage, account_of(world, user_id))
            storing = asyncio.create_task(store, context=outside)
            _, pending = await asyncio.wait({storing}, timeout=HELD)
            assert pending == {storing}
            if external_id == ADA:
                assert await uow.user_erasures.finish(user_id)
            await uow.commit()
        with pytest.raises(ConnectStateInvalid):
            await storing

    assert await sql.fetchval("SELECT count(*) FROM calendly_integration") == 1


async def test_two_erasures(world: World, process: Process, sql: asyncpg.Connection) -> None:
    """Of several erasures at the same time one takes the user, and all are recorded."""
    await world.connect(ADA)

    await asyncio.gather(*(process.erase_user(ADA, CLI) for _ in range(4)))

    rows = await sql.fetch("SELECT user_id FROM calendly_user_erasure")
    assert sorted(row["user_id"] is None for row in rows) == [False, True, True, True]
    assert len(process.jobs.started) == 1


async def _store(storage: PiccoloStorage, integration: Integration) -> None:
    async with storage() as uow:
        await uow.integrations.for_user(integration.user_id, lock=True)
        await uow.integrations.put_connected(integration)
        await uow.commit()
