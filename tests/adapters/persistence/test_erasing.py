import asyncio
from datetime import timedelta

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage, open_storage
from application.bookings.merge_facts import OwnerFacts, merge_facts
from application.ports.storage.bookings import Owner
from application.ports.storage.erasures import Erasure
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.audit import Actor
from domain.booking import Facts, Invitee
from domain.errors import EncryptionKeyUnknown
from domain.ids import IntegrationId, WebhookEventId
from domain.integration import Integration
from domain.secret import Secret
from tests import samples
from tests.application.support.building import Product
from tests.application.support.process import Process
from tests.contracts.persistence.test_erasing import IVY, begin, erasure, known
from tests.contracts.persistence.test_webhook_events import event, store
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.fakes.randomness import FakeRandomness
from tests.fakes.vault import FakeVault

CLI = Actor("cli")


@pytest.fixture
def process(piccolo_storage: PiccoloStorage) -> Process:
    """A process over the real store."""
    product = Product()
    product.storage = piccolo_storage  # type: ignore[assignment]
    return Process(product, "process-1")


async def test_no_address_is_stored(sql: asyncpg.Connection, process: Process) -> None:
    """The record of an erasure holds neither the address nor anything it could be tried against."""
    await process.erase_invitee(IVY, CLI)

    (row,) = await sql.fetch("SELECT * FROM calendly_invitee_erasure")
    key = await sql.fetchval("SELECT key_sealed FROM calendly_erasure_key")
    assert IVY not in str(dict(row))
    assert len(row["email_hash"]) == 32
    assert key.startswith("fake.key-1.")
    counts = (row["bookings"], row["webhook_events"], row["unreadable"], row["requested_by"])
    assert counts == (0, 0, 0, "cli")


async def test_a_lost_key_is_an_error(
    piccolo_storage: PiccoloStorage, database_url: Secret, vault: FakeVault
) -> None:
    """A process that cannot open the key of the hashes gets an error and stores no booking."""
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
    """A booking that another process was storing when the erasure began is erased as well."""
    looked, go_on = asyncio.Event(), asyncio.Event()

    async def store_slowly() -> None:
        async with piccolo_storage() as uow:
            assert await uow.erasures.known({IVY}) == {}
            looked.set()
            await go_on.wait()
            made = samples.booking(ada, world.randomness, samples.facts("A"))
            await uow.bookings.put([made])
            await uow.commit()

    storing = asyncio.create_task(store_slowly())
    await looked.wait()
    erasing = asyncio.create_task(process.erase_invitee(IVY, CLI))
    _, pending = await asyncio.wait({erasing}, timeout=0.3)
    assert pending == {erasing}
    go_on.set()
    await storing
    done = await erasing

    assert done.bookings == 1


async def test_later_transactions_store_no_erased_person(
    piccolo_storage: PiccoloStorage,
    ada: Integration,
    process: Process,
    sql: asyncpg.Connection,
) -> None:
    """Facts that Calendly sends again after an erasure are stored without the person."""
    facts = samples.facts("A", created_at=NOON - timedelta(days=1))
    await process.erase_invitee(IVY.upper(), CLI)

    async with piccolo_storage() as uow:
        await merge_facts(uow, FakeRandomness(), [OwnerFacts(Owner.of(ada), [facts])])
        await uow.commit()

    (row,) = await sql.fetch("SELECT b::text AS text, start_at FROM calendly_booking b")
    assert IVY not in row["text"]
    assert "Ivy" not in row["text"]
    assert row["start_at"] == facts.details.start


async def test_pruning_passes_over_what_is_held(
    piccolo_storage: PiccoloStorage, world: World, process: Process, sql: asyncpg.Connection
) -> None:
    """An event that another process has locked is left for the next run, which does not wait for it."""
    made = [
        WebhookEvent(
            id=WebhookEventId(world.randomness.new_id()),
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
            await uow.webhook_events.store([NewEvent(each)])
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


RECORDS = "SELECT count(*) FROM calendly_invitee_erasure"


async def test_what_a_killed_process_began_is_ended(
    piccolo_storage: PiccoloStorage,
    ada: Integration,
    world: World,
    process: Process,
    sql: asyncpg.Connection,
) -> None:
    """An erasure that dies after its record is ended by the job, without the address."""
    await world.book(ada, samples.facts("A", created_at=NOON - timedelta(days=1)))
    holding, go_on = asyncio.Event(), asyncio.Event()

    async def keep_it_waiting() -> None:
        async with piccolo_storage() as uow:
            await uow.erasures.known({IVY})
            holding.set()
            await go_on.wait()

    holder = asyncio.create_task(keep_it_waiting())
    await holding.wait()
    erasing = asyncio.create_task(process.erase_invitee(IVY, CLI))
    while not await sql.fetchval(RECORDS):  # noqa: ASYNC110 - it is the database that tells
        await asyncio.sleep(0.01)
    erasing.cancel()
    await asyncio.wait({erasing})
    go_on.set()
    await holder
    assert IVY in await sql.fetchval("SELECT string_agg(b::text, '') FROM calendly_booking b")

    process.clock.advance(timedelta(hours=2))
    cursor: str | None = "erasures:"
    while cursor is not None:
        cursor = (await process.prune_webhooks(cursor, 10, lambda _: None)).cursor

    assert IVY not in await sql.fetchval("SELECT string_agg(b::text, '') FROM calendly_booking b")
    assert await sql.fetchval("SELECT bookings FROM calendly_invitee_erasure") == 1


SPELLINGS = {
    "stra\u00dfe@x.de": " STRA\u1e9eE@X.de ",
    "\u0130pek@x.tr": "I\u0307PEK@x.tr",
    "jos\u00e9@x.es": "Jose\u0301@x.es\u00a0",
}


@pytest.mark.parametrize("asked", SPELLINGS)
async def test_spellings_are_one_person_s_whatever_the_database_thinks(
    ada: Integration, world: World, process: Process, sql: asyncpg.Connection, asked: str
) -> None:
    """Bookings are found in each spelling of an address, and look-alikes are left alone."""
    emails = [*SPELLINGS, *SPELLINGS.values(), "strasse@x.de", "ipek@x.tr", "jose@x.es"]
    await world.book(
        ada,
        *(
            samples.facts(
                str(number), details=samples.details(invitee=Invitee(name="X", email=email))
            )
            for number, email in enumerate(emails)
        ),
    )

    done = await process.erase_invitee(asked, CLI)

    left = await sql.fetch("SELECT invitee_email FROM calendly_booking WHERE invitee_email <> ''")
    assert done.bookings == 2
    assert {row[0] for row in left} == set(emails) - {asked, SPELLINGS[asked]}


async def test_large_bodies_come_in_small_pages(
    piccolo_storage: PiccoloStorage, world: World
) -> None:
    """A page holds few large bodies, at least one, so that a job's memory stays flat."""
    sealed_mebibyte = 1024 * 1024 * 3 // 4  # the vault of tests writes base64
    made = [
        event(world, str(number), body=b"x" * size * sealed_mebibyte)
        for number, size in enumerate([7, 1, 1, 9, 1])
    ]
    await store(piccolo_storage, *made)

    pages: list[int] = []
    after: WebhookEventId | None = None
    more = True
    while more:
        async with piccolo_storage() as uow:
            page = await uow.personal_data.bodies(after, 9)
        pages.append(len(page.bodies))
        after, more = page.after, page.after is not None

    assert pages == [2, 2, 1]


HOSTS = 9
WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
HOLD_THE_MIDDLE = f"""
SELECT 1 FROM calendly_booking b JOIN calendly_integration i ON i.id = b.integration_id
ORDER BY i.public_id OFFSET {HOSTS // 2} LIMIT 1 FOR UPDATE OF b
"""


async def connect_in_opposite_order(world: World) -> list[Integration]:
    """Return hosts; the first stored one has the user with the highest public id."""
    users = [await world.user(str(number)) for number in range(HOSTS)]
    ids = [IntegrationId(world.randomness.new_id()) for _ in users]
    hosts = [samples.integration(*each) for each in zip(reversed(ids), users, strict=True)]
    async with world.storage() as uow:
        for each in hosts:
            await uow.integrations.put_connected(each)
        await uow.commit()
    return hosts


async def settle_batch(process: Process, hosts: list[Integration], facts: Facts) -> None:
    """Merge facts for all hosts in one batch, as a batch of webhooks does."""
    async with process.storage() as uow:
        owners = await uow.bookings.lock([each.id for each in hosts], [])
        await merge_facts(
            uow, process.randomness, [OwnerFacts(owner, [facts]) for owner in owners]
        )
        await uow.commit()


async def overlap(process: Process, hosts: list[Integration], sql: asyncpg.Connection) -> int:
    """Run an erasure and a batch while another process holds a row in the middle of theirs."""
    booked = samples.facts("A", created_at=process.clock.advance(timedelta(hours=1)))
    async with process.storage() as uow:
        await uow.bookings.put(
            [samples.booking(each, process.randomness, booked) for each in hosts]
        )
        await uow.commit()
    made = Erasure(process.randomness.new_id(), process.clock.now(), "cli")
    await begin(process.storage, made, IVY)
    async with sql.transaction():
        await sql.execute(HOLD_THE_MIDDLE)
        settling = asyncio.create_task(settle_batch(process, hosts, booked))
        erasing = asyncio.create_task(process.redact_bookings.redact_page(None))
        async with asyncio.timeout(10):
            while await sql.fetchval(WAITING) < 2:  # noqa: ASYNC110 - the database tells
                await asyncio.sleep(0.01)
    await settling
    return (await erasing).forgotten


async def test_erasing_and_settling_never_wait_in_a_circle(
    world: World, process: Process, sql: asyncpg.Connection
) -> None:
    """An erasure and a batch over the same hosts never refuse each other, in many repetitions."""
    hosts = await connect_in_opposite_order(world)

    erased = [await overlap(process, hosts, sql) for _ in range(10)]

    left = await sql.fetchval("SELECT count(*) FROM calendly_booking WHERE invitee_email <> ''")
    assert (erased, left) == ([HOSTS] * 10, 0)
