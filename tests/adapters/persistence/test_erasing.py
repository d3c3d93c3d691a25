import asyncio
from datetime import timedelta

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage, open_storage
from application.ports.webhook_events import WebhookEvent
from application.settle_bookings import settle_bookings
from domain.errors import EncryptionKeyUnknown
from domain.ids import WebhookEventId
from domain.integration import Integration
from domain.secret import Secret
from tests import samples
from tests.application.building import Product
from tests.application.process import Process
from tests.contracts.persistence.test_erasing import IVY, begin, erasure, known
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.fakes.entropy import FakeEntropy
from tests.fakes.vault import FakeVault


@pytest.fixture
def process(piccolo_storage: PiccoloStorage) -> Process:
    """A process over the real store."""
    product = Product()
    product.storage = piccolo_storage  # type: ignore[assignment]
    return Process(product, "process-1")


async def test_no_address_is_stored(sql: asyncpg.Connection, process: Process) -> None:
    """The record of an erasure holds neither the address nor anything it could be tried against."""
    await process.erase_invitee(IVY, "cli")

    (row,) = await sql.fetch("SELECT * FROM calendly_invitee_erasure")
    key = await sql.fetchval("SELECT key_sealed FROM calendly_erasure_key")
    assert IVY not in str(dict(row))
    assert len(row["email_hash"]) == 32
    assert key.startswith("fake.key-1.")
    counts = (row["bookings"], row["webhook_events"], row["unreadable"], row["requested_by"])
    assert counts == (0, 0, 0, "cli")


async def test_a_key_that_is_lost_is_said(
    piccolo_storage: PiccoloStorage, database_url: Secret, vault: FakeVault
) -> None:
    """Who cannot open the key of the hashes is told so, and does not take erased people in."""
    await begin(piccolo_storage, erasure(1), IVY)
    old = vault.sealing_key_id
    vault.rotate()
    vault.lose(old)

    async with open_storage(database_url, vault, min_size=0) as fresh:
        with pytest.raises(EncryptionKeyUnknown):
            await known(fresh, {IVY})


async def test_who_was_at_it_before_is_waited_for(
    piccolo_storage: PiccoloStorage, world: World, ada: Integration, process: Process
) -> None:
    """A booking that somebody was just storing when the erasure began is erased as well."""
    looked, go_on = asyncio.Event(), asyncio.Event()

    async def store_slowly() -> None:
        async with piccolo_storage() as uow:
            assert await uow.erasures.known({IVY}) == {}
            looked.set()
            await go_on.wait()
            made = samples.booking(ada, world.entropy, samples.facts("A"))
            await uow.bookings.put([made])
            await uow.commit()

    storing = asyncio.create_task(store_slowly())
    await looked.wait()
    erasing = asyncio.create_task(process.erase_invitee(IVY, "cli"))
    _, pending = await asyncio.wait({erasing}, timeout=0.3)
    assert pending == {erasing}
    go_on.set()
    await storing
    done = await erasing

    assert done.bookings == 1


async def test_who_comes_after_takes_nobody_in(
    piccolo_storage: PiccoloStorage,
    ada: Integration,
    process: Process,
    sql: asyncpg.Connection,
) -> None:
    """What Calendly tells again after an erasure is stored without the person, link by link."""
    facts = samples.facts("A", created_at=NOON - timedelta(days=1))
    await process.erase_invitee(IVY.upper(), "cli")

    async with piccolo_storage() as uow:
        await settle_bookings(uow, FakeEntropy(), ada, [facts])
        await uow.commit()

    (row,) = await sql.fetch("SELECT b::text AS text, start_at FROM calendly_booking b")
    assert IVY not in row["text"]
    assert "Ivy" not in row["text"]
    assert row["start_at"] == facts.details.start


async def test_pruning_passes_over_what_is_held(
    piccolo_storage: PiccoloStorage, world: World, process: Process, sql: asyncpg.Connection
) -> None:
    """An event that somebody has locked is left for the next run, which does not wait for it."""
    made = [
        WebhookEvent(
            id=WebhookEventId(world.entropy.new_id()),
            dedupe_key=str(number),
            kind="x",
            body=b"{}",
            received_at=NOON,
            occurred_at=NOON,
        )
        for number in range(2)
    ]
    async with piccolo_storage() as uow:
        for each in made:
            await uow.webhook_events.store(each)
            await uow.webhook_events.ignored(each.id, "unknown_kind", NOON)
        await uow.commit()
    process.clock.advance(timedelta(days=31))

    async with sql.transaction():
        await sql.execute(
            "SELECT 1 FROM calendly_webhook_event WHERE public_id = $1 FOR UPDATE", made[0].id
        )
        first = await asyncio.wait_for(process.prune_webhooks(None, 10, lambda _: None), 5)
    second = await process.prune_webhooks(None, 10, lambda _: None)

    assert (first.done, second.done) == ({"webhook_events": 1}, {"webhook_events": 1})
