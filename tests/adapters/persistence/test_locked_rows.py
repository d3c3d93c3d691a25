"""Webhooks while another process holds an integration: the whole path, over the real store."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from datetime import timedelta
from typing import Any, NamedTuple, cast

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage
from adapters.system.clock_sync import ClockSkew
from adapters.wiring import webhooks
from adapters.wiring.calendly import calendly_of
from adapters.wiring.resources import Resources
from application.webhooks.delivery import STORED, IngestResult
from application.webhooks.ingest import IngestWebhook
from domain.errors import StorageContended
from domain.integration import Integration
from domain.pending_webhooks import PASSING
from tests.adapters.web.serving import settings_with
from tests.application.support.delivering import created, key_of, signed
from tests.application.support.recording import AwaitedBackground, RecordedTelemetry
from tests.contracts.persistence.test_webhook_events import claim, event, store
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.vault import FakeVault

ROW = "SELECT id FROM calendly_integration WHERE public_id = $1"
HOLDS = {
    "an erasure": f"{ROW} FOR UPDATE",
    "a sweep": "SELECT pg_advisory_xact_lock(id) FROM calendly_integration WHERE public_id = $1",
    "a change of its row": f"{ROW} FOR NO KEY UPDATE",
}


def resources(storage: PiccoloStorage, world: World) -> Resources:
    """Return what the use cases of webhooks are wired from."""
    return Resources(
        settings=settings_with(),
        storage=storage,
        webhook_storage=storage,
        probe_storage=storage,
        read_storage=storage,
        vault=FakeVault(),
        http=cast(Any, None),
        jobs=cast(Any, FakeJobs()),
        background=AwaitedBackground(),
        telemetry=cast(Any, RecordedTelemetry()),
        clock=FakeClock(),
        clock_skew=ClockSkew(timedelta()),
        randomness=world.randomness,
        owner="web",
    )


@asynccontextmanager
async def held(sql: asyncpg.Connection, statement: str, *whom: Integration) -> AsyncIterator[None]:
    """Hold what a statement locks of some integrations, as another transaction does."""
    async with sql.transaction():
        for each in whom:
            await sql.execute(statement, each.id)
        yield


class Answer(NamedTuple):
    """The result of a delivery, and after how many seconds."""

    ingested: IngestResult
    seconds: float


async def delivered(
    ingest: IngestWebhook, to: Sequence[Integration], numbers: Sequence[int]
) -> list[list[Answer]]:
    """Deliver one event of each number to each integration, concurrently; return answers by it."""
    key = settings_with().calendly_webhook_signing_key[0]

    async def one(number: int, addressee: Integration) -> Answer:
        body, began = created(number), time.monotonic()
        signature = signed(body, FakeClock().now(), key)
        ingested = await ingest(body, signature, key_of(addressee))
        return Answer(ingested, time.monotonic() - began)

    answers = await asyncio.gather(*(one(number, each) for number in numbers for each in to))
    return [list(answers[start :: len(to)]) for start in range(len(to))]


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS)
async def test_a_locked_integration_delays_no_other(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection, hold: str
) -> None:
    """Its neighbours are applied while it is locked; its own are answered, and applied later."""
    ada, bob, cyd = [await world.connect(name) for name in ("ada", "bob", "cyd")]
    made = resources(piccolo_storage, world)
    ingest = webhooks.ingest_webhook(made)

    async with held(sql, hold, ada):
        first = await delivered(ingest, [ada, bob, cyd], range(10))
        later = await delivered(ingest, [ada, bob, cyd], range(10, 20))

    of_ada, *others = [one + other for one, other in zip(first, later, strict=True)]
    neighbours = [each for answers in others for each in answers]
    assert max(each.seconds for each in neighbours) < 5
    assert all(each.ingested.applied for each in neighbours)
    assert max(each.seconds for each in of_ada) < 5
    assert {(each.ingested.result, each.ingested.applied) for each in of_ada} == {(STORED, False)}
    assert (await webhooks.apply_webhooks(made, calendly_of(made))(100, lambda _: None)).done == {
        "applied": 20
    }
    (booked,) = await sql.fetch(
        "SELECT count(*), count(DISTINCT integration_id) FROM calendly_booking"
    )
    assert tuple(booked) == (60, 3)


async def test_pending_events_of_a_locked_integration_delay_no_other(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """The job waits once for an integration that is locked, for any number of its pending events."""
    ada, bob = [await world.connect(name) for name in ("ada", "bob")]
    made = resources(piccolo_storage, world)
    apply = webhooks.apply_webhooks(made, calendly_of(made))
    ingest = webhooks.ingest_webhook(made)
    async with held(sql, HOLDS["a sweep"], ada, bob):
        await delivered(ingest, [ada], range(10))
        await delivered(ingest, [bob], [10])

    async with held(sql, HOLDS["a sweep"], ada):
        began = time.monotonic()
        job_result = await apply(100, lambda _: None)
        waited = time.monotonic() - began

    assert (job_result.done, job_result.failed) == ({"applied": 1}, {"storage_contended": 10})
    assert waited < 2 * webhooks.JOB_LOCK_WAIT.total_seconds()
    cast(FakeClock, made.clock).advance(PASSING[StorageContended.code])
    assert (await apply(100, lambda _: None)).done == {"applied": 10}


async def test_postponing_waits_for_no_lock(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """An event that a running erasure deletes is skipped immediately."""
    ada = await world.connect("ada")
    stored = event(world, "one", integration_id=ada.id, user_id=ada.user_id)
    await store(piccolo_storage, stored)

    async with sql.transaction():
        await sql.execute("DELETE FROM calendly_webhook_event WHERE public_id = $1", stored.id)
        async with piccolo_storage.waiting(webhooks.SINGLE_LOCK_WAIT)() as uow:
            await uow.webhook_events.retry_later(stored.id, StorageContended.code, NOON)
            await uow.commit()

    assert await claim(piccolo_storage) == []


async def test_once_it_is_known_to_be_held_the_group_waits_no_more(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """After the first delivery that met a lock the other integrations' are as fast as before."""
    ada, bob = [await world.connect(name) for name in ("ada", "bob")]
    ingest = webhooks.ingest_webhook(resources(piccolo_storage, world))

    async with held(sql, HOLDS["a sweep"], ada):
        await delivered(ingest, [ada], [0])
        of_ada, of_bob = await delivered(ingest, [ada, bob], range(1, 5))

    assert max(each.seconds for each in of_bob) < webhooks.GROUP_LOCK_WAIT.total_seconds()
    assert not any(each.ingested.applied for each in of_ada)


async def test_many_locked_integrations_delay_no_other(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """The other integrations of a group are applied in time, for any number of locked ones."""
    hosts = [await world.connect(f"user {number}") for number in range(24)]
    ingest = webhooks.ingest_webhook(resources(piccolo_storage, world))

    async with held(sql, HOLDS["a sweep"], *hosts[::2]):
        answers = await delivered(ingest, hosts, [1])

    free = [each for answer in answers[1::2] for each in answer]
    assert max(each.seconds for each in free) < 1
    assert all(each.ingested.applied for each in free)


async def test_a_locked_table_refuses_all_deliveries_in_time(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """While a migration holds a table, deliveries are refused soon enough for Calendly to hear."""
    hosts = [await world.connect(f"user {number}") for number in range(30)]
    ingest = webhooks.ingest_webhook(resources(piccolo_storage, world))

    async with sql.transaction():
        await sql.execute("LOCK TABLE calendly_integration")
        began = time.monotonic()
        ended = await asyncio.gather(
            *(delivered(ingest, [each], [1]) for each in hosts), return_exceptions=True
        )
        waited = time.monotonic() - began

    assert {type(each) for each in ended} == {StorageContended}
    assert waited < 5


async def test_an_erased_integration_takes_later_deliveries_along(
    piccolo_storage: PiccoloStorage, world: World
) -> None:
    """A delivery during the erasure of its account has no effect on any user afterwards."""
    ada = await world.connect("ada")
    made = resources(piccolo_storage, world)
    ingest = webhooks.ingest_webhook(made)
    async with piccolo_storage() as uow:
        await uow.integrations.erase(ada.id)
        work = asyncio.create_task(delivered(ingest, [ada], [1]), context=Context())
        ((answer,),) = await work
        await uow.commit()

    job_result = await webhooks.apply_webhooks(made, calendly_of(made))(100, lambda _: None)

    assert answer.ingested.result == STORED
    assert job_result.done == {"nobodys_event": 1}


async def test_a_lock_is_waited_for_until_its_time_out(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """A unit of work that may wait so long says after that that another one is in the way."""
    ada = await world.connect("ada")
    impatient = piccolo_storage.waiting(webhooks.SINGLE_LOCK_WAIT)

    async with held(sql, HOLDS["a sweep"], ada):
        began = time.monotonic()
        with pytest.raises(StorageContended) as caught:
            async with impatient() as uow:
                await uow.bookings.lock([ada.id], [])
        waited = time.monotonic() - began

    assert webhooks.SINGLE_LOCK_WAIT.total_seconds() <= waited < 1
    assert "LockNotAvailableError" in str(caught.value)


async def test_the_lock_time_out_ends_with_its_unit_of_work(
    piccolo_storage: PiccoloStorage,
) -> None:
    """The lock wait of one unit of work does not carry over to the next one on its connection."""
    impatient = piccolo_storage.waiting(webhooks.SINGLE_LOCK_WAIT)

    async def waits(storage: PiccoloStorage) -> Any:
        async with storage() as uow:
            shown = await cast(Any, uow)._transaction.connection.fetchval("SHOW lock_timeout")
            await uow.commit()
        return shown

    assert [await waits(each) for each in (impatient, piccolo_storage)] == ["100ms", "0"]
