"""Groups of deliveries over the real store: the same as one by one, and never in each other's way."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextvars import Context
from random import Random
from typing import Any, TypeVar

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage, open_storage
from application.ports.storage.webhook_archive import WebhookStatus
from application.ports.storage.webhook_events import NewEvent
from application.webhooks.delivery import DUPLICATE, STORED, Delivery, IngestResult, event_of
from application.webhooks.lock_contention import Contention
from application.webhooks.store_batch import StoreBatch
from application.webhooks.store_or_defer import StoreOrDefer
from domain.integration import Integration
from domain.secret import Secret
from domain.webhook import ParsedWebhook
from tests import samples
from tests.adapters.persistence.test_races import until_waiting
from tests.application.support.delivery_streams import cut, seeded, stream
from tests.application.support.recording import AwaitedBackground, RecordedTelemetry
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.randomness import FakeRandomness
from tests.fakes.vault import FakeVault

T = TypeVar("T")

_EVENTS = "SELECT dedupe_key, status, reason, integration_id FROM calendly_webhook_event"
_BOOKINGS = """
SELECT integration_id, invitee_uri, status, predecessor_uri, successor_uri, no_show_uri,
    start_at, host_uris, cancel_reason, location_join_url FROM calendly_booking
"""
_INVALIDATED = "SELECT id, availability_invalidated_by FROM calendly_integration"


@pytest.fixture
async def other(database_url: Secret, vault: FakeVault) -> AsyncIterator[PiccoloStorage]:
    """The same store as another process has it open."""
    async with open_storage(database_url, vault, min_size=0) as storage:
        yield storage


async def found(sql: asyncpg.Connection) -> list[set[Any]]:
    """Return what is stored, without ids that chance gave."""
    return [
        {str(tuple(row)) for row in await sql.fetch(each)}
        for each in (_EVENTS, _BOOKINGS, _INVALIDATED)
    ]


def batch_store(storage: PiccoloStorage, randomness: FakeRandomness) -> StoreBatch:
    """Return what stores a group."""
    return StoreBatch(storage=storage, clock=FakeClock(), randomness=randomness)


def single_store(storage: PiccoloStorage, randomness: FakeRandomness) -> StoreOrDefer:
    """Return what stores one delivery."""
    batch = batch_store(storage, randomness)
    return StoreOrDefer(
        batch=batch,
        patient_batch=batch,
        contention=Contention(FakeClock()),
        jobs=FakeJobs(),
        background=AwaitedBackground(),
        clock=FakeClock(),
        telemetry=RecordedTelemetry(),
    )


async def connected(world: World) -> list[Integration]:
    """Connect three users."""
    return [await world.connect(name) for name in ("ada", "bob", "cyd")]


@pytest.mark.parametrize("seed", range(4))
async def test_groups_store_what_single_ones_do(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection, seed: int
) -> None:
    """A stream in groups of any size leaves in PostgreSQL what it leaves one by one."""
    deliveries = stream(seeded(seed), await connected(world))
    single = single_store(piccolo_storage, world.randomness)
    group = batch_store(piccolo_storage, world.randomness)
    for each in deliveries:
        await single.store(each)
    one_by_one = await found(sql)
    await sql.execute("DELETE FROM calendly_webhook_event; DELETE FROM calendly_booking")
    await sql.execute("UPDATE calendly_integration SET availability_invalidated_by = 'before'")

    for several in cut(seeded(seed + 1), deliveries):
        await group.store(several)

    assert await found(sql) == one_by_one
    assert one_by_one[1]


class Sender:
    """Delivers a stream in its own order, group by group or one by one."""

    def __init__(
        self, storage: PiccoloStorage, randomness: FakeRandomness, random: Random
    ) -> None:
        self._random = random
        self._single = single_store(storage, randomness)
        self._group = batch_store(storage, randomness)
        self.results: list[str] = []

    async def send(self, deliveries: Sequence[Delivery]) -> None:
        """Deliver everything; some of the groups one by one."""
        shuffled = self._random.sample(deliveries, len(deliveries))
        for group in cut(self._random, shuffled):
            ingested: Sequence[IngestResult | None]
            if self._random.random() < 0.2:
                ingested = [await self._single.store(each) for each in group]
            else:
                ingested = await self._group.store(group)
            self.results += [each.result for each in ingested if each is not None]


@pytest.mark.parametrize("seed", range(3))
async def test_overlapping_groups_neither_deadlock_nor_double(
    piccolo_storage: PiccoloStorage,
    other: PiccoloStorage,
    world: World,
    sql: asyncpg.Connection,
    seed: int,
) -> None:
    """Processes that store the same deliveries concurrently never deadlock, and store each once."""
    deliveries = stream(seeded(seed), await connected(world), acts=30)
    senders = [
        Sender(storage, world.randomness, seeded(seed + number))
        for number, storage in enumerate((piccolo_storage, other) * 2)
    ]

    async with asyncio.timeout(30):
        await asyncio.gather(*(each.send(deliveries) for each in senders))

    raced = await found(sql)
    results = [result for each in senders for result in each.results]
    assert results.count(STORED) == len(raced[0])
    assert results.count(DUPLICATE) == len(results) - len(raced[0])
    await sql.execute("DELETE FROM calendly_webhook_event; DELETE FROM calendly_booking")
    await Sender(piccolo_storage, world.randomness, seeded(seed)).send(deliveries)
    assert (await found(sql))[:2] == raced[:2]


def apart(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Start work as another process would: without the transaction that is open here."""
    return asyncio.get_running_loop().create_task(work, context=Context())


def booked(to: Integration) -> Delivery:
    """Return a delivery of a booking to an integration's own address."""
    booking = samples.facts("A")
    webhook = ParsedWebhook(
        kind="invitee.created", occurred_at=NOON, subject=booking.invitee_uri, facts=booking
    )
    return Delivery(b"{}", webhook, to.id, NOON)


async def test_a_locked_integration_is_merged_by_one_process(
    piccolo_storage: PiccoloStorage, other: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """While a transaction locks an integration's facts, a group with its delivery waits."""
    ada = await world.connect("ada")
    group = batch_store(other, world.randomness)

    async with piccolo_storage() as uow:
        await uow.bookings.lock([ada.id], [])
        waiting = apart(group.store([booked(ada)]))
        await until_waiting(sql)
        assert not waiting.done()
        await uow.commit()

    (ingested,) = await waiting
    assert ingested is not None
    assert ingested.applied


async def test_a_single_one_takes_its_locks_in_the_order_of_a_group(
    piccolo_storage: PiccoloStorage, other: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """The same delivery, single and in a group, is stored by the group, without a deadlock."""
    ada = await world.connect("ada")
    delivery = booked(ada)

    async with piccolo_storage() as uow:
        (owner,) = await uow.bookings.lock([ada.id], [])
        single = apart(single_store(other, world.randomness).store(delivery))
        await until_waiting(sql)
        event = event_of(delivery, [owner], world.randomness)
        assert await uow.webhook_events.store(
            [NewEvent(event, WebhookStatus.APPLIED, settled_at=NOON)]
        )
        await uow.commit()

    assert await single == IngestResult(DUPLICATE)
