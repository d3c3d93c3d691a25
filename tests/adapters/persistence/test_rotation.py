import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace
from piccolo.table import Table

from adapters.persistence.storage import PiccoloStorage, open_storage
from adapters.persistence.tables import bookings as booking_tables
from adapters.persistence.tables import core as tables
from adapters.persistence.tables import privacy as keeping_tables
from application.integrations.begin_connect import code_bound_to, verifier_bound_to
from application.ports.storage.bookings import BookingQuery
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.erasures import Erasure
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from application.security.rotate_encryption import Rotation
from application.tokens.token_encryption import open_both
from domain.booking import Links
from domain.ids import WebhookEventId
from domain.integration import Integration
from domain.secret import Secret
from tests import samples
from tests.adapters.persistence.served import Rotating, ring, served
from tests.application.support.building import Product
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)
ERASURE = Erasure(id=UUID(int=1), erased_at=NOON, requested_by="cli")
STATE = b"s" * 32
LINKS = Links(cancel=Secret("https://cal/cancel"), reschedule=Secret("https://cal/reschedule"))
SEALED = {
    f"{table._meta.tablename}.{column._meta.name}"
    for table in (
        *vars(tables).values(),
        *vars(booking_tables).values(),
        *vars(keeping_tables).values(),
    )
    if isinstance(table, type) and issubclass(table, Table) and table is not Table
    for column in table._meta.columns
    if column._meta.name.endswith("_sealed")
}


async def fill(product: Product, storage: PiccoloStorage) -> Integration:
    """Put a value into every sealed column."""
    ada = await product.connect("ada")
    async with storage() as uow:
        attempt = ConnectAttempt(
            state_hash=STATE,
            user_id=ada.user_id,
            sealed_verifier=product.vault.seal(Secret("verifier"), verifier_bound_to(STATE)),
            expires_at=NOON + MINUTE,
        )
        await uow.connect_attempts.add(attempt)
        code = product.vault.seal(Secret("code"), code_bound_to(STATE))
        held = replace(attempt, sealed_code=code, handle_hash=b"h" * 32)
        assert await uow.connect_attempts.hold(held, NOON, NOON + MINUTE)
        await uow.webhook_events.store(
            [
                NewEvent(
                    WebhookEvent(
                        id=WebhookEventId(product.randomness.new_id()),
                        dedupe_key="one",
                        kind="invitee.created",
                        body=b"\xff body",
                        received_at=NOON,
                        occurred_at=NOON,
                    )
                )
            ]
        )
        booking = samples.booking(ada, product.randomness, samples.facts("A", links=LINKS))
        await uow.bookings.put([booking])
        await uow.erasures.begin(ERASURE, "ivy@example.com", Secret("key of hashes"))
        await uow.commit()
    return ada


async def keys_in_use(sql: asyncpg.Connection) -> dict[str, set[str]]:
    """Return which keys sealed the values of each column."""
    found = {}
    for column in SEALED:
        table, _, name = column.partition(".")
        rows = await sql.fetch(f"SELECT {name} AS sealed FROM {table} WHERE {name} IS NOT NULL")
        found[column] = {row["sealed"].split(".")[1] for row in rows}
    return found


async def test_no_sealed_column_is_forgotten(piccolo_storage: PiccoloStorage) -> None:
    """Every column of the schema that holds sealed values is one that a rotation goes through."""
    async with piccolo_storage() as uow:
        assert sorted(uow.sealed_values.columns) == sorted(SEALED)


async def test_the_earlier_key_can_go(database_url: Secret, sql: asyncpg.Connection) -> None:
    """After a rotation whatever the service stored opens without the earlier key."""
    product = Product()
    async with open_storage(database_url, ring("k1")) as storage:
        served(product, storage, ring("k1"))
        ada = await fill(product, storage)
    before = await keys_in_use(sql)
    async with open_storage(database_url, ring("k2", "k1")) as storage:
        rotation = await Rotating(product, storage, ring("k2", "k1"))()
        again = await Rotating(product, storage, ring("k2", "k1"))()
    after = await keys_in_use(sql)

    alone = ring("k2")
    async with open_storage(database_url, alone) as storage, storage() as uow:
        stored = await uow.integrations.get(ada.id)
        attempt = await uow.connect_attempts.find(STATE)
        (event,) = await uow.webhook_events.claim_pending(NOON, NOON + MINUTE, 9)
        (booking,) = await uow.bookings.page(ada.user_id, BookingQuery(limit=9))
        erased = await uow.erasures.known({"ivy@example.com"})

    assert before == {column: {"k1"} for column in SEALED}
    assert after == {column: {"k2"} for column in SEALED}
    assert (rotation, again) == (Rotation(resealed=8), Rotation())
    assert stored is not None
    assert stored.tokens is not None
    assert len(open_both(alone, ada.id, stored.tokens)) == 2
    assert attempt is not None
    assert alone.open(attempt.sealed_verifier, verifier_bound_to(STATE)) == Secret("verifier")
    assert attempt.sealed_code is not None
    assert alone.open(attempt.sealed_code, code_bound_to(STATE)) == Secret("code")
    assert event.body == b"\xff body"
    assert booking.facts.links == LINKS
    assert erased == {"ivy@example.com": NOON}


async def test_refreshes_go_on_during_a_rotation(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """While accounts are refreshed every value comes under the new key, and no pair is lost."""
    product = Product()
    async with open_storage(database_url, ring("k1")) as storage:
        served(product, storage, ring("k1"))
        connected = [await product.connect(f"user-{number}") for number in range(120)]
    both = ring("k2", "k1")
    async with open_storage(database_url, both) as storage:
        process = served(product, storage, both)
        rotation, *fresh = await asyncio.gather(
            Rotating(product, storage, both)(),
            *(process.refresh.run(each.id) for each in connected[:60]),
        )
    keys = await keys_in_use(sql)

    alone = ring("k2")
    async with open_storage(database_url, alone) as storage:
        process = served(product, storage, alone)
        later = [await process.refresh.run(each.id) for each in connected]

    assert isinstance(rotation, Rotation)
    assert rotation.is_complete
    assert keys["calendly_integration.refresh_token_sealed"] == {"k2"}
    assert len(fresh) == 60
    assert product.calendly.calls["refresh"] == 180
    assert all(each.attention is None for each in later)


async def test_a_locked_row_is_not_waited_for(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """A row that another process has locked is left for later, so no deadlock is possible."""
    product = Product()
    both = ring("k2", "k1")
    async with open_storage(database_url, both) as storage:
        served(product, storage, ring("k1"))
        await fill(product, storage)
        async with sql.transaction():
            await sql.execute("SELECT 1 FROM calendly_integration FOR UPDATE")
            async with asyncio.timeout(5), storage() as uow:
                column = "calendly_integration.refresh_token_sealed"
                page = await uow.sealed_values.page(column, 0, 9, but_under="k2")
                replaced = await uow.sealed_values.replace(
                    column, [(each, "v1.k2.new") for each in page.values], NOON
                )

    assert (len(page.values), replaced) == (1, 0)


@pytest.mark.parametrize("column", sorted(SEALED))
async def test_a_value_moved_to_another_row_is_named(
    database_url: Secret, sql: asyncpg.Connection, column: str
) -> None:
    """A value sealed for another row or column does not open, is reported, and stays as it is."""
    table, _, name = column.partition(".")
    foreign = ring("k1").seal(Secret("text"), "another row")
    product = Product()
    both = ring("k2", "k1")
    async with open_storage(database_url, ring("k1")) as storage:
        served(product, storage, ring("k1"))
        await fill(product, storage)
    await sql.execute(f"UPDATE {table} SET {name} = $1", foreign)
    async with open_storage(database_url, both) as storage:
        rotating = Rotating(product, storage, both)
        rotation = await rotating()

    assert rotation == Rotation(resealed=7, unreadable=1)
    assert [(each.column, each.key_id, each.code) for each in rotating.named] == [
        (column, "k1", "sealed_value_corrupt")
    ]
    assert await sql.fetchval(f"SELECT {name} FROM {table}") == foreign
