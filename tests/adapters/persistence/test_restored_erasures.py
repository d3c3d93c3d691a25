"""Erasures after the restore of a backup that is older: all tables copied, emptied and refilled."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from io import BytesIO
from typing import NamedTuple

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage, open_storage
from application.bookings.merge_facts import OwnerFacts, merge_facts
from application.ports.storage.bookings import Owner
from application.privacy.erasure_file import read
from domain.audit import Actor
from domain.errors import EncryptionKeyUnknown, InvalidInput
from domain.integration import Integration, Status
from domain.secret import Secret
from tests import samples
from tests.application.support.building import Product
from tests.application.support.process import Process
from tests.contracts.persistence.test_erasing import IVY, seat
from tests.contracts.persistence.test_webhook_events import event, store
from tests.contracts.persistence.world import World
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON
from tests.fakes.vault import FakeVault

CLI = Actor("cli")

ADA = "ada"
Restart = Callable[[], AbstractAsyncContextManager[Process]]
_TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_name <> 'migration'
"""


class Backup(NamedTuple):
    """The content of each table."""

    tables: dict[str, bytes]


async def dump(sql: asyncpg.Connection) -> Backup:
    """Copy every table."""
    tables = {}
    for (name,) in await sql.fetch(_TABLES):
        content = BytesIO()
        await sql.copy_from_table(name, output=content, format="binary")
        tables[name] = content.getvalue()
    return Backup(tables)


async def restore(sql: asyncpg.Connection, backup: Backup) -> None:
    """Put every table back as it was."""
    await sql.execute("SET session_replication_role = replica")
    await sql.execute(f"TRUNCATE {', '.join(backup.tables)}")
    for name, content in backup.tables.items():
        await sql.copy_to_table(name, source=BytesIO(content), format="binary")
    await sql.execute("SET session_replication_role = DEFAULT")


def process_over(storage: PiccoloStorage) -> Process:
    """Return a process over the real store."""
    product = Product()
    product.storage = storage  # type: ignore[assignment]
    return Process(product, "process-1")


@pytest.fixture
def restarted(database_url: Secret, vault: FakeVault) -> Restart:
    """Open the store as a process that starts after the restore."""

    @asynccontextmanager
    async def start() -> AsyncIterator[Process]:
        async with open_storage(database_url, vault, min_size=0) as storage:
            yield process_over(storage)

    return start


@pytest.fixture
def process(piccolo_storage: PiccoloStorage) -> Process:
    """The process before the restore."""
    return process_over(piccolo_storage)


async def stored(sql: asyncpg.Connection) -> str:
    """Return the content of all tables as text."""
    names = [name for (name,) in await sql.fetch(_TABLES)]
    return str([await sql.fetch(f"SELECT to_jsonb(t)::text FROM {name} t") for name in names])


@pytest.fixture
async def booked(world: World, ada: Integration) -> Integration:
    """Store a booking of Ivy's, and a webhook with her."""
    async with world.storage() as uow:
        await uow.bookings.put([seat(world, ada, "A", IVY)])
        await uow.commit()
    body = bodies.webhook("invitee.created", bodies.payload(email=IVY))
    await store(world.storage, event(world, "A", body=body, integration_id=ada.id))
    return ada


async def test_an_invitee(
    restarted: Restart, process: Process, booked: Integration, sql: asyncpg.Connection
) -> None:
    """A restored invitee is erased again, and stays erased for what Calendly sends later."""
    backup = await dump(sql)
    await process.erase_invitee(IVY, CLI)
    text = await process.export_erasures()
    await restore(sql, backup)
    assert IVY in await stored(sql)

    async with restarted() as fresh:
        first = await fresh.apply_erasures(text)
        again = await fresh.apply_erasures(text)
        facts = samples.facts("B", created_at=NOON - timedelta(days=1))
        async with fresh.storage() as uow:
            await merge_facts(uow, fresh.randomness, [OwnerFacts(Owner.of(booked), [facts])])
            await uow.commit()

    assert (first.records, first.redaction.bookings, first.redaction.webhook_events) == (1, 1, 1)
    assert (again.records, again.redaction.bookings, again.redaction.webhook_events) == (1, 0, 0)
    assert IVY not in await stored(sql)
    rows = await sql.fetch("SELECT bookings, webhook_events FROM calendly_invitee_erasure")
    assert [tuple(row) for row in rows] == [(1, 1)]


async def test_a_user(
    restarted: Restart,
    process: Process,
    world: World,
    booked: Integration,
    sql: asyncpg.Connection,
) -> None:
    """A restored user is disconnected and deleted again; another user is not touched."""
    eve = await world.connect("eve")
    backup = await dump(sql)
    process.clock.advance(timedelta(hours=1))
    await process.erase_user(ADA, CLI)
    text = await process.export_erasures()
    await restore(sql, backup)

    async with restarted() as fresh:
        first = await fresh.apply_erasures(text)
        again = await fresh.apply_erasures(text)
        started = fresh.jobs.started
        async with fresh.storage() as uow:
            await uow.integrations.erase(booked.id)
            assert await uow.user_erasures.finish(booked.user_id)
            await uow.commit()

    assert (first.users, again.users) == (1, 0)
    assert started == [f"integration/{booked.id}/disconnect"]
    users = await sql.fetch("SELECT external_id FROM app_user")
    assert [row["external_id"] for row in users] == ["eve"]
    assert (await world.now(eve.id)).status is Status.ACTIVE


async def test_who_came_back(
    restarted: Restart, process: Process, world: World, sql: asyncpg.Connection
) -> None:
    """A user who connected again after the erasure is in the backup, and stays."""
    await world.user(ADA)
    process.clock.advance(timedelta(hours=1))
    await process.erase_user(ADA, CLI)
    world.clock.advance(timedelta(hours=2))
    await world.user(ADA)
    text, backup = await process.export_erasures(), await dump(sql)
    await restore(sql, backup)

    async with restarted() as fresh:
        done = await fresh.apply_erasures(text)

    assert (done.records, done.users) == (1, 0)
    assert ADA in await stored(sql)


@pytest.mark.usefixtures("booked")
async def test_after_a_change_of_keys(
    restarted: Restart, vault: FakeVault, process: Process, sql: asyncpg.Connection
) -> None:
    """A file from before a rotation is applied while the ring has the old key, else refused."""
    backup = await dump(sql)
    await process.erase_invitee(IVY, CLI)
    text = await process.export_erasures()
    await restore(sql, backup)
    old = vault.sealing_key_id
    vault.rotate()
    vault.lose(old)
    async with restarted() as fresh:
        with pytest.raises(EncryptionKeyUnknown):
            await fresh.apply_erasures(text)
        assert await sql.fetchval("SELECT count(*) FROM calendly_invitee_erasure") == 0
        vault.regain(old)
        await fresh.apply_erasures(text)
        sealed = await sql.fetchval("SELECT key_sealed FROM calendly_erasure_key")

    assert vault.key_id(sealed) == vault.sealing_key_id
    assert IVY not in str(await sql.fetch("SELECT * FROM calendly_booking"))


@pytest.mark.usefixtures("booked")
async def test_beside_another_key(
    restarted: Restart, process: Process, sql: asyncpg.Connection
) -> None:
    """If the restored database made a key of its own, the records of both keys hold."""
    backup = await dump(sql)
    await process.erase_invitee(IVY, CLI)
    text = await process.export_erasures()
    await restore(sql, backup)

    async with restarted() as fresh:
        fresh.randomness.new_id()
        await fresh.erase_invitee("joe@example.com", CLI)
        done = await fresh.apply_erasures(text)
        both = await fresh.export_erasures()
    async with restarted() as later, later.storage() as uow:
        known = await uow.erasures.known({IVY, "joe@example.com", "eve@example.com"})
    await restore(sql, backup)
    async with restarted() as last:
        again = await last.apply_erasures(both)

    assert done.redaction.bookings == 1
    assert known.keys() == {IVY, "joe@example.com"}
    assert (again.records, again.redaction.bookings) == (2, 1)


async def test_a_changed_file(
    restarted: Restart, process: Process, sql: asyncpg.Connection
) -> None:
    """A file that was cut or edited is refused, and nothing of it is stored."""
    await process.erase_invitee(IVY, CLI)
    await process.erase_user(ADA, CLI)
    text = await process.export_erasures()
    await sql.execute("DELETE FROM calendly_invitee_erasure; DELETE FROM calendly_user_erasure")
    wrong = (
        b"",
        b"{}",
        text[:-20],
        text.replace(b'"cli"', b'"cly"', 1),
        text.replace(b'"format":1', b'"format":2'),
    )

    async with restarted() as fresh:
        for each in wrong:
            with pytest.raises(InvalidInput):
                await fresh.apply_erasures(each)

    assert await sql.fetchval("SELECT count(*) FROM calendly_invitee_erasure") == 0
    assert await sql.fetchval("SELECT count(*) FROM calendly_user_erasure") == 0


async def test_no_erasure_yet(process: Process, sql: asyncpg.Connection) -> None:
    """Before the first erasure the file is empty, and applying it changes nothing."""
    done = await process.apply_erasures(await process.export_erasures())

    assert (done.records, done.users) == (0, 0)
    assert await sql.fetchval("SELECT count(*) FROM calendly_erasure_key") == 0


@pytest.mark.usefixtures("booked")
async def test_a_crash_after_the_records(
    restarted: Restart, process: Process, sql: asyncpg.Connection
) -> None:
    """If the command dies after the records are stored, the daily job erases the invitees."""
    backup = await dump(sql)
    await process.erase_invitee(IVY, CLI)
    text = await process.export_erasures()
    await restore(sql, backup)

    async with restarted() as fresh:
        await fresh.apply_erasures._add(*read(text))
        fresh.clock.advance(timedelta(hours=2))
        cursor: str | None = None
        while True:
            page = await fresh.prune_webhooks(cursor, 10, lambda _: None)
            cursor = page.cursor
            if not page.more:
                break

    assert IVY not in await stored(sql)
